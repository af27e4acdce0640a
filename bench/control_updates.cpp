#include "bench/control_updates.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "bench/process.h"
#include "plaudit/core/files.h"
#include "plaudit/core/parallel.h"
#include "plaudit/train/iql.h"
#include "plaudit/train/logged_control.h"
#include "plaudit/train/sac.h"

namespace plaudit::bench {
namespace {

constexpr int64_t kObservations = 17, kActions = 6, kLoggedRows = 100'000, kBatch = 256;

TransitionTensors logged() {
  Rng rng(0, "bench");
  return {rng.normal_tensor({kLoggedRows, kObservations}), rng.normal_tensor({kLoggedRows, kActions}).tanh(),
          rng.normal_tensor({kLoggedRows}), rng.normal_tensor({kLoggedRows, kObservations}),
          (rng.uniform_tensor({kLoggedRows}) < 0.01).to(at::kFloat)};
}

std::unique_ptr<ControlLearner> make(const std::string& learner) {
  const Rng rng(0, "weights");
  if (learner == "sac") return std::make_unique<SacLearner>(kObservations, kActions, SacOptions{}, rng);
  return std::make_unique<IqlLearner>(kObservations, kActions, IqlOptions{}, 1'000'000, rng);
}

}  // namespace

double measure_updates(const std::string& learner, int threads, double seconds) {
  const ThreadLimit limit(threads);
  const LoggedExperience data(logged(), "bench", 1);
  const auto method = make(learner);
  Rng rng(0, "updates");
  int64_t step = 0;
  const auto update = [&] {
    for (int i = 0; i < 20; ++i) method->update(data.sample(kBatch, rng), ++step, rng);
  };
  update();
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    update();
    const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (taken >= seconds) return static_cast<double>(step - 20) / taken;
  }
}

JobResult run_updates(const std::string& learner, int threads, double seconds, int64_t repeats,
                      const std::string& python, const std::string& scripts) {
  const TemporaryFolder files;
  JobResult job{
      .job = threads == 1 ? learner + " updates" : fmt::format("{} updates, {} threads", learner, threads),
      .precision = "f32",
      .unit = "updates/s",
      .peer = learner == "sac" ? "stable-baselines3" : "plain torch"};
  for (int64_t round = 0; round < repeats; ++round) {
    job.ours.push_back({measure_updates(learner, threads, seconds), peak_mib()});
    fmt::print(stderr, "bench: {}, round {} of {}: ours {:.1f}", job.job, round + 1, repeats,
               job.ours.back().rate);
    if (!python.empty()) {
      const auto measure = [&](int peer_threads) {
        const auto out = files.file("peer.json");
        run_process({python, scripts + "/control_updates.py", learner, std::to_string(peer_threads),
                     std::to_string(seconds), out},
                    peer_threads, files.file("peer.log"));
        return read_json(out);
      };
      auto peer = measure(threads);
      if (threads > 1)
        if (auto alone = measure(1); alone.at("rate") > peer.at("rate")) peer = std::move(alone);
      job.theirs.push_back({peer.at("rate"), peer.at("peak_mib"), Json::object(), peer.at("version")});
      fmt::print(stderr, ", {} {:.1f}", job.peer, job.theirs.back().rate);
    }
    fmt::print(stderr, "\n");
  }
  return job;
}

}  // namespace plaudit::bench
