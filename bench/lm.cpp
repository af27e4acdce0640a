#include "bench/lm.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "bench/lm_data.h"
#include "bench/process.h"
#include "plaudit/core/checks.h"
#include "plaudit/core/log.h"
#include "plaudit/model/multiply.h"
#include "plaudit/model/resolve.h"
#include "plaudit/model/transformer.h"
#include "plaudit/train/preference_losses.h"

namespace plaudit::bench {
namespace {

namespace fs = std::filesystem;

// Those on pairs, and those that are fed the same answers in another form.
std::vector<std::string> loss_names() {
  auto names = preference_loss_names();
  names.insert(names.end(), {"kto", "plackett-luce"});
  return names;
}

class LmBench {
 public:
  explicit LmBench(const LmOptions& options) : options_(options), model_(resolve_model(options.model)) {
    if (options_.peers) find_peers();
  }

  BenchReport run() {
    report_ = begin_report();
    if (!options_.losses.empty()) {
      for (const auto& precision : options_.precisions) measure_losses(precision);
    }
    for (const auto& job : options_.jobs) {
      for (const auto& precision : options_.precisions) {
        if (job == "sampling") {
          for (const auto batch : options_.batches) measure(sampling_job(precision, batch));
        } else if (job == "steering") {
          for (const auto batch : options_.batches) measure_steered(precision, batch);
        } else {
          measure(step_job(job, precision));
        }
      }
    }
    return std::move(report_);
  }

 private:
  // One line of the table and how to measure it.
  struct Job {
    std::string name, precision, peer;
    Json worker;
    std::vector<std::string> peer_command;  // without the file for its result
  };

  void find_peers() {
    python_ = python_with({"trl", "transformers", "datasets"});
    if (python_.empty()) {
      fmt::print(stderr, "bench: the peers (trl, transformers) are not installed; measuring plaudit alone\n");
      return;
    }
    scripts_ = options_.peer_scripts;
    if (scripts_.empty()) scripts_ = (fs::path(program_folder()).parent_path() / "bench/peers").string();
    if (!fs::exists(scripts_))
      fail(ErrorKind::io, scripts_, "does not exist; give the folder of the peers' scripts with --peers");
    hf_folder_ = files_.file("model");
    Transformer::load(model_)->save(hf_folder_);
  }

  Job step_job(const std::string& job, const std::string& precision) {
    const auto data = files_.file("data.json");
    if (!fs::exists(data)) {
      const auto tokenizer = Tokenizer::load(model_);
      write_json(data, step_data(tokenizer, options_.batch, options_.steps));
    }
    return {job,
            precision,
            "trl",
            {{"job", job}, {"precision", precision}, {"model", model_}, {"data", data}},
            {python_, scripts_ + "/trl_steps.py", job, precision, hf_folder_, data}};
  }

  Job sampling_job(const std::string& precision, int64_t batch) const {
    return {fmt::format("sampling batch {}", batch),
            precision,
            "transformers",
            {{"job", "sampling"},
             {"precision", precision},
             {"model", model_},
             {"batch", batch},
             {"prompt_tokens", options_.prompt_tokens},
             {"new_tokens", options_.new_tokens}},
            {python_, scripts_ + "/transformers_generate.py", precision, hf_folder_, std::to_string(batch),
             std::to_string(options_.prompt_tokens), std::to_string(options_.new_tokens)}};
  }

  // The losses in turns, so that what else the machine does meets all alike.
  void measure_losses(const std::string& precision) {
    auto names = options_.losses;
    if (std::find(names.begin(), names.end(), "all") != names.end()) names = loss_names();
    std::erase(names, "dpo");
    std::vector<Measurement> dpo;
    std::vector<JobResult> results;
    for (const auto& name : names)
      results.push_back({.job = name, .precision = precision, .unit = "tokens/s", .peer = "dpo"});
    for (int64_t round = 0; round < options_.repeats; ++round) {
      dpo.push_back(measurement(run_ours(step_job("dpo", precision))));
      fmt::print(stderr, "bench: {}, round {} of {}: dpo {:.1f}", precision, round + 1, options_.repeats,
                 dpo.back().rate);
      for (auto& result : results) {
        result.ours.push_back(measurement(run_ours(step_job(result.job, precision))));
        fmt::print(stderr, ", {} {:.1f}", result.job, result.ours.back().rate);
      }
      fmt::print(stderr, "\n");
    }
    // Losses differ; that the work is the same shows in the log-probabilities that they are computed from.
    for (auto& side : dpo) side.same_work.erase("first_loss");
    for (auto& result : results) {
      for (auto& side : result.ours) side.same_work.erase("first_loss");
      result.theirs = dpo;
      report_.jobs.push_back(std::move(result));
    }
  }

  void measure(const Job& job) {
    JobResult result{.job = job.name, .precision = job.precision, .unit = "tokens/s", .peer = job.peer};
    std::vector<double> shares;
    for (int64_t round = 0; round < options_.repeats; ++round) {
      const auto ours = run_ours(job);
      shares.push_back(share_of_limit(ours, job.precision));
      result.ours.push_back(measurement(ours));
      fmt::print(stderr, "bench: {} {}, round {} of {}: {:.1f} tokens/s", job.name, job.precision, round + 1,
                 options_.repeats, result.ours.back().rate);
      if (!python_.empty()) {
        result.theirs.push_back(measurement(run_peer(job)));
        fmt::print(stderr, ", {} {:.1f}", job.peer, result.theirs.back().rate);
      }
      fmt::print(stderr, "\n");
    }
    std::sort(shares.begin(), shares.end());
    result.share_of_limit = shares[shares.size() / 2];
    report_.jobs.push_back(std::move(result));
  }

  // The peer is plaudit itself without steering, in the same process.
  void measure_steered(const std::string& precision, int64_t batch) {
    auto job = sampling_job(precision, batch);
    job.name = "steered " + job.name;
    job.worker["job"] = "steering";
    job.worker["rounds"] = options_.repeats;
    const auto found = run_ours(job);
    JobResult result{.job = job.name, .precision = precision, .unit = "tokens/s", .peer = "unsteered"};
    std::vector<double> costs;
    for (size_t round = 0; round < found.at("plain").size(); ++round) {
      const double steered = found.at("steered").at(round), plain = found.at("plain").at(round);
      result.ours.push_back({steered, found.at("peak_mib"), found.at("same_work")});
      result.theirs.push_back(
          {plain, found.at("peak_mib"), found.at("same_work"), "unsteered sampling of plaudit"});
      costs.push_back(plain / steered);
      fmt::print(stderr, "bench: {} {}, round {} of {}: {:.1f} tokens/s, unsteered {:.1f}\n", job.name,
                 precision, round + 1, options_.repeats, steered, plain);
    }
    fmt::print(stderr, "bench: {} {}: steering takes {:.2f} times as long\n", job.name, precision,
               median(costs));
    report_.jobs.push_back(std::move(result));
  }

  Json run_ours(const Job& job) const {
    auto worker = job.worker;
    worker["out"] = files_.file("ours.json");
    write_json(files_.file("job.json"), worker);
    run_process({kThisProgram, "bench", "worker", "--job", files_.file("job.json")}, report_.machine.threads,
                files_.file("ours.log"));
    return read_json(files_.file("ours.json"));
  }

  Json run_peer(const Job& job) const {
    auto command = job.peer_command;
    command.push_back(files_.file("peer.json"));
    run_process(command, report_.machine.threads, files_.file("peer.log"));
    return read_json(files_.file("peer.json"));
  }

  static Measurement measurement(const Json& result) {
    return {result.at("rate"), result.at("peak_mib"), result.at("same_work"), result.value("version", "")};
  }

  // The time that products or weights alone would take at the measured limits, over the time taken.
  double share_of_limit(const Json& ours, const std::string& precision) const {
    const auto limit = [&](const std::string& name) { return 1e9 * report_.limits.at(name).get<double>(); };
    const double products = ours.at("flop").get<double>() / limit("gemm " + precision + " 2048, GFLOP/s");
    const double reading = ours.at("bytes").get<double>() / limit("memory read, GB/s");
    return std::max(products, reading) / ours.at("seconds").get<double>();
  }

  const LmOptions& options_;
  BenchReport report_;
  TemporaryFolder files_;
  std::string model_, python_, scripts_, hf_folder_;
};

void check(const LmOptions& options) {
  const Check check("bench lm");
  for (const auto& job : options.jobs) check.choice("jobs", job, LmOptions{}.jobs);
  auto losses = loss_names();
  losses.push_back("all");
  for (const auto& loss : options.losses) check.choice("losses", loss, losses);
  for (const auto& precision : options.precisions) check.choice("precisions", precision, {"f32", "bf16"});
  for (const auto batch : options.batches) check.that(batch >= 1, "batches", ">= 1", batch);
  check.that(options.steps >= 2, "steps", ">= 2 (the first is not timed)", options.steps);
  check.that(options.batch >= 1, "batch", ">= 1", options.batch);
  check.that(options.repeats >= 1, "repeats", ">= 1", options.repeats);
  check.that(options.prompt_tokens >= 1, "prompt_tokens", ">= 1", options.prompt_tokens);
  check.that(options.new_tokens >= 1, "new_tokens", ">= 1", options.new_tokens);
}

}  // namespace

BenchReport run_lm(LmOptions options) {
  check(options);
  if (options.precisions.empty()) {
    options.precisions = {"f32"};
    if (multiplies_bf16())
      options.precisions.push_back("bf16");
    else
      say("bench: this processor does not multiply bf16: f32 alone (--precisions bf16 measures it all the "
          "same)");
  }
  return LmBench(options).run();
}

}  // namespace plaudit::bench
