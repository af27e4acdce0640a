#include "plaudit/claim/runner.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <future>
#include <mutex>
#include <thread>

#include "plaudit/core/interrupt.h"
#include "plaudit/core/progress.h"
#include "plaudit/run/run_state.h"

namespace plaudit {
namespace {

using Metrics = std::vector<std::pair<std::string, double>>;

// Of this thread: other work on the machine does not count.
double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

int64_t processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

std::shared_ptr<Distributed> alone() {
  static const auto one = Distributed::from_environment();
  return one;
}

// The stages of one variant at one seed, in memory.
class StageRun {
 public:
  StageRun(const ClaimVariant& variant, int64_t seed)
      : plan_(variant.plan),
        state_(std::make_shared<RunContext::Impl>(RunContext::Impl{recipe_, "", at::kCPU, alone()})),
        context_(state_) {
    recipe_.name = variant.name;
    recipe_.seed = seed;
  }

  void run(size_t begin, size_t end) {
    const double start = cpu_seconds();
    for (size_t i = begin; i < end; ++i) {
      if (interrupt_requested()) throw InterruptedError("stopped");
      run_stage(plan_[i]);
    }
    seconds = cpu_seconds() - start;
  }

  ArtefactTable& artefacts() { return state_->artefacts; }

  Metrics metrics;
  double seconds = 0;

 private:
  void run_stage(const PlannedStage& stage) {
    state_->stage = &stage;
    state_->written.clear();
    state_->summary = Summary();
    state_->report = Report();
    stage.bound.run(context_);
    const std::string prefix = stage.name.empty() ? "" : stage.name + "/";
    for (const auto& [name, metric] : state_->summary.json().at("metrics").items())
      metrics.emplace_back(prefix + name, metric.at("value").get<double>());
  }

  const std::vector<PlannedStage>& plan_;
  Recipe recipe_;
  std::shared_ptr<RunContext::Impl> state_;
  RunContext context_;
};

// What the variants of a claim share at one seed.
struct Prepared {
  ArtefactTable artefacts;
  Metrics metrics;
  double seconds = 0;
};

// The first that needs the shared stages of a seed runs them; the others wait.
class PreparedStages {
 public:
  std::shared_ptr<const Prepared> get(const ClaimVariant& variant, int64_t seed) {
    const auto key = fmt::format("{}|{}", variant.prepare_key, seed);
    std::promise<std::shared_ptr<const Prepared>> promise;
    std::shared_future<std::shared_ptr<const Prepared>> future;
    bool mine = false;
    {
      const std::lock_guard lock(mutex_);
      auto& entry = futures_[key];
      mine = !entry.valid();
      if (mine) entry = promise.get_future().share();
      future = entry;
    }
    if (mine) fulfil(promise, variant, seed);
    return future.get();
  }

 private:
  static void fulfil(std::promise<std::shared_ptr<const Prepared>>& promise, const ClaimVariant& variant,
                     int64_t seed) {
    try {
      StageRun run(variant, seed);
      run.run(0, variant.prepared);
      promise.set_value(
          std::make_shared<const Prepared>(Prepared{run.artefacts(), run.metrics, run.seconds}));
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  }

  std::mutex mutex_;
  std::map<std::string, std::shared_future<std::shared_ptr<const Prepared>>> futures_;
};

VariantResult run_variant(const ClaimVariant& variant, int64_t seed, PreparedStages& prepared) {
  StageRun run(variant, seed);
  double prepare_seconds = 0;
  if (variant.prepared > 0) {
    const auto shared = prepared.get(variant, seed);
    run.artefacts() = shared->artefacts;
    run.metrics = shared->metrics;
    prepare_seconds = shared->seconds;
  }
  run.run(variant.prepared, variant.plan.size());
  return {run.metrics, run.seconds, prepare_seconds, false};
}

struct Work {
  const ClaimVariant* variant;
  size_t seed_index;
};

class Runner {
 public:
  Runner(const Claim& claim, const ClaimRunOptions& options) : claim_(claim), options_(options) {
    run_.seeds = options.seeds.empty() ? claim.seeds : options.seeds;
    if (!options.folder.empty()) store_.emplace(options.folder, claim.digest);
    for (const auto& variant : claim.variants) run_.variants[variant.name].resize(run_.seeds.size());
  }

  ClaimRun run() {
    const auto start = std::chrono::steady_clock::now();
    collect();
    work_through();
    run_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (size_t s = 0; s < run_.seeds.size(); ++s) run_.cpu_seconds.push_back(cpu_seconds_of(s));
    return std::move(run_);
  }

 private:
  // Seed after seed, so that what a seed shares is soon no longer needed.
  void collect() {
    for (size_t s = 0; s < run_.seeds.size(); ++s) {
      for (const auto& variant : claim_.variants) {
        if (auto result = store_ ? store_->load(variant.name, run_.seeds[s]) : std::nullopt)
          run_.variants[variant.name][s] = std::move(*result);
        else
          work_.push_back({&variant, s});
      }
    }
  }

  void work_through() {
    if (work_.empty()) return;
    const int threads_before = at::get_num_threads();
    const auto jobs = std::min<int64_t>(options_.jobs > 0 ? options_.jobs : processors(),
                                        static_cast<int64_t>(work_.size()));
    progress_ = std::make_unique<Progress>("claim " + claim_.number);
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < jobs; ++i) threads.emplace_back([this] { work(); });
    for (auto& thread : threads) thread.join();
    progress_.reset();
    at::set_num_threads(threads_before);
    if (failure_) std::rethrow_exception(failure_);
  }

  void work() {
    at::set_num_threads(1);
    while (true) {
      const size_t next = next_++;
      if (next >= work_.size() || failed_) return;
      const auto& [variant, s] = work_[next];
      try {
        finish(work_[next], run_variant(*variant, run_.seeds[s], prepared_));
      } catch (const InterruptedError&) {
        keep_failure(std::make_exception_ptr(InterruptedError(
            "stopped; the same command goes on with what is left of claim " + claim_.number)));
      } catch (const UserError& error) {
        keep_failure(std::make_exception_ptr(
            UserError(error.kind(), fmt::format("{}: variant {}, seed {}: {}", claim_.path, variant->name,
                                                run_.seeds[s], message_of(error)))));
      } catch (...) {
        keep_failure(std::current_exception());
      }
    }
  }

  void keep_failure(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    failed_ = true;
  }

  void finish(const Work& work, VariantResult result) {
    const std::lock_guard lock(mutex_);
    if (store_) store_->save(work.variant->name, run_.seeds[work.seed_index], result);
    run_.variants[work.variant->name][work.seed_index] = std::move(result);
    progress_->update(++done_, static_cast<int64_t>(work_.size()));
  }

  double cpu_seconds_of(size_t s) const {
    double total = 0;
    std::map<std::string, double> shared;
    for (const auto& variant : claim_.variants) {
      const auto& result = run_.variants.at(variant.name)[s];
      total += result.seconds;
      auto& seconds = shared[variant.prepare_key];
      seconds = std::max(seconds, result.prepare_seconds);
    }
    for (const auto& [key, seconds] : shared) total += seconds;
    return total;
  }

  const Claim& claim_;
  const ClaimRunOptions& options_;
  std::optional<ResultStore> store_;
  ClaimRun run_;
  std::vector<Work> work_;
  PreparedStages prepared_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
  int64_t done_ = 0;
  std::unique_ptr<Progress> progress_;
};

}  // namespace

ClaimRun run_claim(const Claim& claim, const ClaimRunOptions& options) {
  return Runner(claim, options).run();
}

}  // namespace plaudit
