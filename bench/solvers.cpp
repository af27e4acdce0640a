#include "bench/solvers.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>

#include "bench/process.h"
#include "plaudit/core/call.h"
#include "plaudit/core/files.h"
#include "plaudit/env/finite_horizon.h"
#include "plaudit/env/markov_chain.h"
#include "plaudit/env/markov_game.h"
#include "plaudit/env/policy_evaluation.h"
#include "plaudit/env/value_iteration.h"
#include "plaudit/eval/best_of_n.h"
#include "plaudit/feedback/transport.h"

namespace plaudit::bench {
namespace {

Tensor distances(const Tensor& points) {
  const auto d = pairwise_distance(points.unsqueeze(1));
  return d / d.max();
}

void add_call(BenchReport& report, const std::string& name, const std::function<void()>& work) {
  report.jobs.push_back(
      {.job = name, .precision = "f64", .unit = "calls/s", .ours = {{.rate = 1 / fastest(work, 0.3)}}});
}

}  // namespace

void add_transport(BenchReport& report) {
  const auto python = python_with({"ot"});
  const auto script =
      (std::filesystem::path(program_folder()).parent_path() / "bench/peers/pot_gromov.py").string();
  const bool peer = !python.empty() && std::filesystem::exists(script);
  const TemporaryFolder files;
  const GromovOptions options{.warm_start = true};  // POT's own changes nothing
  for (const int64_t n : {100, 200, 400}) {
    JobResult job{.job = fmt::format("gromov-wasserstein {}", n), .precision = "f64", .unit = "plans/s"};
    if (peer) job.peer = "POT";
    for (uint64_t seed = 0; seed < 3; ++seed) {
      at::manual_seed(seed);
      const auto source = at::randn({n, 3}, at::kDouble),
                 target = at::randn({n, 3}, at::kDouble) * at::tensor({1.0, 2.0, 0.5}, at::kDouble);
      const auto cs = distances(source), ct = distances(target);
      Tensor cost;
      const double seconds =
          fastest([&] { cost = entropic_gromov_wasserstein(cs, ct, {}, {}, options).cost; }, 0.1);
      job.ours.push_back({.rate = 1 / seconds, .same_work = {{"objective", cost.item<double>()}}});
      if (!peer) continue;
      write_json(files.file("in.json"), {{"source", json_from_tensor(source)},
                                         {"target", json_from_tensor(target)},
                                         {"eps", options.eps},
                                         {"outer", options.outer},
                                         {"iters", options.iters}});
      run_process({python, script, files.file("out.json"), files.file("in.json")}, report.machine.threads,
                  files.file("log"));
      const auto theirs = read_json(files.file("out.json"));
      job.theirs.push_back(
          {theirs.at("rate"), theirs.at("peak_mib"), theirs.at("same_work"), theirs.at("version")});
    }
    report.jobs.push_back(std::move(job));
  }
}

void add_tabular(BenchReport& report) {
  constexpr int64_t kStates = 1000, kActions = 3, kHorizon = 50;
  constexpr double gamma = 0.95;
  at::manual_seed(0);
  const auto normal = [](at::IntArrayRef sizes) { return at::randn(sizes, at::kDouble); };
  const auto law = [&](at::IntArrayRef sizes) { return at::softmax(normal(sizes), -1); };
  const auto p = law({kStates, kActions, kStates}), r = normal({kStates, kActions, kStates}),
             pi = law({kStates, kActions}), start = law({kStates});
  const auto add = [&](const std::string& name, const std::function<void()>& work) {
    add_call(report, name + ", S=1000", work);
  };
  add("policy evaluation", [&] { policy_evaluation(p, r, pi, gamma); });
  add("occupancy measure", [&] { occupancy_measure(p, pi, start, gamma); });
  add("regularised return", [&] { regularised_return(p, r, pi, start, gamma, 0.1, "tsallis"); });
  add("average reward", [&] { limit_average_reward(p, r, pi, start); });
  add("value iteration", [&] { value_iteration(p, r, gamma); });
  add("return range", [&] { return_range(p, r, start, gamma); });
  add("soft values", [&] { soft_value_iteration(p, r, gamma); });
  add("finite horizon", [&] { finite_horizon_q(p, r, kHorizon); });
  add("effective horizon", [&] { min_qvi_k(p, r, start, kHorizon); });
  const auto games = law({kStates, kActions, kActions, kStates}),
             payoff = normal({kStates, kActions, kActions});
  add("soft game", [&] { soft_markov_game(games, payoff, gamma, 0.1, 0.1); });
  add("game evaluation", [&] { markov_game_evaluation(games, payoff, pi, pi, gamma); });
  add("robust value", [&] { robust_value(games, payoff, pi, gamma); });
}

void add_best_of_n(BenchReport& report) {
  const auto scores = at::randn({100'000}, at::kDouble), gold = at::randn_like(scores);
  add_call(report, "best of n, 100,000", [&] { eval::best_of_n_reward(scores, 1000); });
  add_call(report, "best of n curve", [&] { eval::best_of_n_curve(scores, gold, {1, 10, 1000, 99'999}); });
}

}  // namespace plaudit::bench
