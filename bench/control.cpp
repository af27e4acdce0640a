#include "bench/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "bench/control_updates.h"
#include "bench/process.h"
#include "plaudit/core/checks.h"
#include "plaudit/core/files.h"
#include "plaudit/env/mujoco_tasks.h"
#include "plaudit/env/vector_env.h"

namespace plaudit::bench {
namespace {

std::vector<double> random_actions(const Box& space, int64_t rows, Rng& rng) {
  std::vector<double> actions;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < space.size(); ++j)
      actions.push_back(space.low[j] + (space.high[j] - space.low[j]) * rng.uniform());
  return actions;
}

// One environment with what its steps write.
struct Stepper {
  VectorEnv env;
  std::vector<double> observations, rewards;
  std::unique_ptr<bool[]> terminated, truncated;

  Stepper(const std::string& task, int64_t n, int64_t threads)
      : env(task, n, {.auto_reset = AutoReset::same_step, .threads = threads}),
        observations(n * env.spec().observation.size()),
        rewards(n),
        terminated(new bool[n]),
        truncated(new bool[n]) {
    env.reset(0, observations.data());
  }
  void step(const double* actions) {
    env.step(actions, {observations.data(), rewards.data(), terminated.get(), truncated.get()});
  }
};

Recording record(const std::string& task, size_t steps) {
  Stepper one(task, 1, 1);
  const auto& spec = one.env.spec();
  Rng rng(0, "bench");
  Recording out{random_actions(spec.action, static_cast<int64_t>(steps), rng), {}, steps};
  const auto start = [&](size_t step) {
    out.starts.push_back({step, std::vector<double>(spec.positions), std::vector<double>(spec.velocities)});
    one.env.get_state(0, out.starts.back().qpos.data(), out.starts.back().qvel.data());
  };
  start(0);
  for (size_t step = 0; step < steps; ++step) {
    one.step(out.actions.data() + step * spec.action.size());
    if (one.terminated[0] || one.truncated[0]) start(step + 1);
  }
  return out;
}

// Seconds of the same episodes by an environment.
double replay(const std::string& task, const Recording& recording) {
  Stepper one(task, 1, 1);
  const auto width = one.env.spec().action.size();
  const auto begin = std::chrono::steady_clock::now();
  for (size_t step = 0; step < recording.steps; ++step) one.step(recording.actions.data() + step * width);
  return seconds_since(begin);
}

// Steps per second of a vector of `rows` environments.
double vector_rate(const std::string& task, int64_t rows, int64_t threads, double seconds) {
  Stepper many(task, rows, threads);
  Rng rng(0, "bench");
  std::vector<std::vector<double>> actions;
  for (int k = 0; k < 50; ++k) actions.push_back(random_actions(many.env.spec().action, rows, rng));
  for (const auto& a : actions) many.step(a.data());
  int64_t steps = 0;
  const auto begin = std::chrono::steady_clock::now();
  double taken = 0;
  for (; taken < seconds; taken = seconds_since(begin))
    for (const auto& a : actions) {
      many.step(a.data());
      steps += rows;
    }
  return static_cast<double>(steps) / taken;
}

class ControlBench {
 public:
  explicit ControlBench(const ControlOptions& options) : options_(options), report_(begin_report()) {
    if (options.peers) python_ = python_with({"gymnasium", "mujoco", "gymnasium.envs.mujoco.mujoco_env"});
    scripts_ = options.peer_scripts.empty() ? program_folder() + "/../bench/peers" : options.peer_scripts;
  }

  BenchReport run() {
    for (const auto& task : options_.tasks) measure(task);
    for (const auto& learner : options_.learners) {
      const auto python =
          options_.peers ? python_with({learner == "sac" ? "stable_baselines3" : "torch"}) : "";
      for (const int threads : std::set{1, learner == "sac" ? report_.machine.threads : 1})
        report_.jobs.push_back(
            run_updates(learner, threads, 3 * options_.seconds, options_.repeats, python, scripts_));
    }
    return std::move(report_);
  }

 private:
  void measure(const std::string& task) {
    const auto rows = options_.environments;
    const double guess = vector_rate(task, rows, 1, 0.1);
    const auto recording = record(task, static_cast<size_t>(std::max(guess * options_.seconds, 100.0)));
    const auto steps = static_cast<double>(recording.steps);
    const int threads = report_.machine.threads;
    JobResult one{.job = task, .precision = "f64", .unit = "steps/s", .peer = "gymnasium"};
    JobResult many{.job = fmt::format("{} x{}", task, rows),
                   .precision = "f64",
                   .unit = "steps/s",
                   .peer = "gymnasium vector"};
    std::vector<double> bare, of_bare, of_threads;
    for (int64_t round = 0; round < options_.repeats; ++round) {
      bare.push_back(steps / replay_bare(task, recording));
      one.ours.push_back({steps / replay(task, recording), peak_mib()});
      const double single = vector_rate(task, rows, 1, options_.seconds);
      many.ours.push_back({vector_rate(task, rows, threads, options_.seconds), peak_mib()});
      of_bare.push_back(one.ours.back().rate / bare.back());
      of_threads.push_back(many.ours.back().rate / (single * threads));
      fmt::print(
          stderr,
          "bench: {}, round {} of {}: mj_step {:.0f}, ours {:.0f}; x{} on 1 thread {:.0f}, on {} {:.0f}\n",
          task, round + 1, options_.repeats, bare.back(), one.ours.back().rate, rows, single, threads,
          many.ours.back().rate);
      if (!python_.empty()) add_peers(task, one, many);
    }
    report_.limits[task + " mj_step, steps/s"] = median(bare);
    one.share_of_limit = median(of_bare);
    many.share_of_limit = median(of_threads);
    report_.jobs.push_back(std::move(one));
    report_.jobs.push_back(std::move(many));
  }

  void add_peers(const std::string& task, JobResult& one, JobResult& many) const {
    const auto out = files_.file("peer.json");
    run_process({python_, scripts_ + "/gymnasium_steps.py", task, std::to_string(options_.seconds), out},
                report_.machine.threads, files_.file("peer.log"));
    const auto peer = read_json(out);
    const auto add = [&](JobResult& job, double rate) {
      job.theirs.push_back({rate, peer.at("peak_mib"), Json::object(), peer.at("version")});
    };
    const double sync = peer.at("sync"), async = peer.at("async");
    add(one, peer.at("single"));
    add(many, std::max(sync, async));
    fmt::print(stderr, "  gymnasium: single {:.0f}, sync {:.0f}, async {:.0f}\n", one.theirs.back().rate,
               sync, async);
  }

  const ControlOptions& options_;
  BenchReport report_;
  TemporaryFolder files_;
  std::string python_, scripts_;
};

}  // namespace

BenchReport run_control(const ControlOptions& options) {
  const Check check("bench control");
  for (const auto& task : options.tasks) check.choice("tasks", task, mujoco_task_ids());
  for (const auto& learner : options.learners) check.choice("learners", learner, {"iql", "sac"});
  check.that(options.seconds > 0, "seconds", "> 0", options.seconds);
  check.that(options.repeats >= 1, "repeats", ">= 1", options.repeats);
  check.that(options.environments >= 1, "environments", ">= 1", options.environments);
  return ControlBench(options).run();
}

}  // namespace plaudit::bench
