#include "plaudit/run/engine.h"

#include <ATen/Context.h>
#include <ATen/ops/scalar_tensor.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "plaudit/core/files.h"
#include "plaudit/core/interrupt.h"
#include "plaudit/core/log.h"
#include "plaudit/run/run_folder.h"
#include "plaudit/run/run_state.h"

namespace plaudit {
namespace {

double peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

at::Device device_of(const Recipe& recipe, const Distributed& ranks) {
  const bool cuda = at::hasCUDA();
  if (recipe.device == "cuda" && !cuda)
    fail(ErrorKind::value, recipe.path + ": device", "is cuda, but there is no GPU that can be used here");
  if (recipe.device == "cpu" || !cuda) return at::kCPU;
  return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(ranks.local_rank()));
}

std::string resume_text(const std::string& folder) {
  return "plaudit run --resume " + folder;
}

bool is_needed_after(const Recipe& recipe, size_t index, const std::string& name) {
  return std::any_of(recipe.stages.begin() + static_cast<ptrdiff_t>(index) + 1, recipe.stages.end(),
                     [&](const PlannedStage& stage) {
                       const auto& reads = stage.bound.reads;
                       return std::find(reads.begin(), reads.end(), name) != reads.end() ||
                              std::find(reads.begin(), reads.end(), name + "?") != reads.end();
                     });
}

class Engine {
 public:
  Engine(const Recipe& recipe, const std::string& out, std::shared_ptr<Distributed> ranks)
      : recipe_(recipe),
        folder_(recipe, out, *ranks),
        state_(std::make_shared<RunContext::Impl>(
            RunContext::Impl{recipe, folder_.path(), device_of(recipe, *ranks), ranks})),
        context_(state_),
        report_(recipe.name) {
    if (state_->is_first_rank()) state_->metrics = std::make_unique<MetricsLog>(folder_.path());
    for (const auto& [name, section] : recipe.sections) state_->artefacts.add_section(name, section);
    if (!recipe.doc.empty()) report_.paragraph(recipe.doc);
  }

  RunResult run() {
    const InterruptGuard guard;
    say((folder_.continues() ? "going on in " : "running in ") + folder_.path());
    for (size_t i = 0; i < recipe_.stages.size(); ++i) {
      const auto& stage = recipe_.stages[i];
      if (const auto result = folder_.finished(stage.id)) {
        take_over(stage, *result);
        continue;
      }
      stop_if_interrupted(stage);
      say(fmt::format("stage {} of {}: {}", i + 1, recipe_.stages.size(), stage.id));
      const Json result = run_stage(stage);
      account(stage, result);
      for (const auto& name : Names(state_->written.begin(), state_->written.end())) release(i, name);
      for (const auto& name : stage.bound.reads) release(i, name);
      write_report();
    }
    write_report();
    if (state_->is_first_rank()) write_json(folder_.path() + "/summary.json", summary_);
    return {folder_.path(), summary_};
  }

 private:
  // A stage that an earlier process finished.
  void take_over(const PlannedStage& stage, const Json& result) {
    for (const auto& [name, type] : result.at("artefacts").items())
      state_->artefacts.add_saved(name, type.get<std::string>(), artefact_folder(stage, name));
    account(stage, result);
  }

  Json run_stage(const PlannedStage& stage) {
    state_->stage = &stage;
    state_->written.clear();
    state_->summary = Summary();
    state_->report = Report();
    if (state_->metrics) state_->metrics->begin(stage.id);
    const auto start = std::chrono::steady_clock::now();
    call(stage);
    state_->progress.reset();
    check_written(stage);
    Json artefacts = Json::object();
    for (const auto& name : state_->written) {
      if (state_->is_first_rank()) state_->artefacts.save(name, artefact_folder(stage, name));
      artefacts[name] = state_->artefacts.type_name(name);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const Json result = {{"artefacts", artefacts},
                         {"seconds", seconds},
                         {"peak_mib", peak_mib()},
                         {"summary", state_->summary.json()},
                         {"report", state_->report.json()}};
    if (state_->is_first_rank()) folder_.finish(stage.id, result);
    state_->ranks->barrier();
    for (const auto& name : state_->written) state_->artefacts.set_saved(name, artefact_folder(stage, name));
    return result;
  }

  // Adds to what goes wrong where it went wrong and how to go on.
  void call(const PlannedStage& stage) {
    try {
      stage.bound.run(context_);
    } catch (const InterruptedError& error) {
      state_->progress.reset();
      throw InterruptedError(fmt::format("{}; go on with: {}", error.what(), resume_text(folder_.path())));
    } catch (const UserError& error) {
      state_->progress.reset();
      throw UserError(error.kind(), fmt::format("{}\n  in stage {}; once this is mended, go on with: {}",
                                                message_of(error), stage.id, resume_text(folder_.path())));
    }
  }

  // Ctrl-C may reach ranks at different times: they stop together.
  void stop_if_interrupted(const PlannedStage& stage) {
    std::vector<at::Tensor> flag = {at::scalar_tensor(interrupt_requested() ? 1.0 : 0.0)};
    state_->ranks->all_reduce_sum(flag);
    if (flag[0].item<double>() == 0) return;
    throw InterruptedError(
        fmt::format("stopped before {}; go on with: {}", stage.id, resume_text(folder_.path())));
  }

  void check_written(const PlannedStage& stage) const {
    for (const auto& name : stage.bound.writes) {
      if (name.back() != '?' && !state_->written.count(name))
        bug("stage " + stage.kind, "declares that it writes '" + name + "', and did not");
    }
  }

  std::string artefact_folder(const PlannedStage& stage, const std::string& name) const {
    return folder_.path() + "/stages/" + stage.id + "/" + name;
  }

  // Frees what no later stage reads.
  void release(size_t index, std::string name) {
    if (name.back() == '?') name.pop_back();
    if (!is_needed_after(recipe_, index, name)) state_->artefacts.release(name);
  }

  // Adds a stage's numbers and pages to those of the run.
  void account(const PlannedStage& stage, const Json& result) {
    const std::string prefix = (stage.round > 0 ? fmt::format("round-{}/", stage.round) : "") +
                               (stage.name.empty() ? "" : stage.name + "/");
    if (stage.round > 0 && stage.round != reported_round_)
      report_.heading(fmt::format("Round {}", stage.round));
    reported_round_ = stage.round;
    for (const auto& [name, metric] : result.at("summary").at("metrics").items())
      summary_["metrics"][prefix + name] = metric;
    for (const auto& [what, count] : result.at("summary").at("rejected").items()) {
      Json& total = summary_["rejected"][prefix + what];
      total = (total.is_null() ? 0 : total.get<int64_t>()) + count.get<int64_t>();
    }
    summary_["seconds"] = summary_["seconds"].get<double>() + result.at("seconds").get<double>();
    summary_["peak_mib"] = std::max(summary_["peak_mib"].get<double>(), result.at("peak_mib").get<double>());
    report_.append(Report::from_json(result.at("report")));
  }

  void write_report() const {
    if (state_->is_first_rank()) write_file_atomic(folder_.path() + "/report.html", report_.html());
  }

  const Recipe& recipe_;
  RunFolder folder_;
  std::shared_ptr<RunContext::Impl> state_;
  RunContext context_;
  Report report_;
  int64_t reported_round_ = 0;
  Json summary_ = {{"recipe", recipe_.name},
                   {"metrics", Json::object()},
                   {"seconds", 0.0},
                   {"peak_mib", 0.0},
                   {"rejected", Json::object()}};
};

}  // namespace

RunResult run_recipe(const Recipe& recipe, const std::string& out, std::shared_ptr<Distributed> ranks) {
  set_quiet(ranks->rank() != 0);
  return Engine(recipe, out, std::move(ranks)).run();
}

std::string summary_text(const Json& summary) {
  std::string out;
  for (const auto& [name, metric] : summary.at("metrics").items()) {
    out += fmt::format("{:<32} {:>10.4g}", name, metric.at("value").get<double>());
    if (metric.at("low").is_number())
      out += fmt::format("  [{:.4g}, {:.4g}]  n {}", metric.at("low").get<double>(),
                         metric.at("high").get<double>(), metric.at("n").get<int64_t>());
    out += "\n";
  }
  for (const auto& [what, count] : summary.at("rejected").items())
    out += fmt::format("{:<32} {:>10}\n", "rejected: " + what, count.get<int64_t>());
  return out + fmt::format("{:<32} {:>10.1f}\n{:<32} {:>10.0f}\n", "seconds",
                           summary.at("seconds").get<double>(), "peak memory, MiB",
                           summary.at("peak_mib").get<double>());
}

}  // namespace plaudit
