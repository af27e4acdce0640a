#include "plaudit/run/context.h"

#include <ATen/Context.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/interrupt.h"

namespace plaudit::run {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

at::Device choose_device(const std::string& name) {
  const bool cuda = at::hasCUDA() && at::globalContext().hasCUDA();
  if (name == "cuda" && !cuda)
    fail(ErrorKind::value, "device", "cuda is asked for, and there is no CUDA device here");
  return name == "cpu" || !cuda ? at::Device(at::kCPU) : at::Device(at::kCUDA, 0);
}

// "1m 05s"
std::string duration(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  return s < 60 ? fmt::format("{}s", s) : fmt::format("{}m {:02}s", s / 60, s % 60);
}

}  // namespace

RunContext::RunContext(std::string folder, uint64_t seed, std::string device, bool quiet)
    : folder_(std::move(folder)),
      device_name_(std::move(device)),
      device_(choose_device(device_name_)),
      seed_(seed),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0) {}

std::string RunContext::stage_folder() const {
  const auto path = folder_ + "/stages/" + label_;
  std::filesystem::create_directories(path);
  return path;
}

Rng RunContext::rng(const std::string& purpose) const {
  return Rng(seed_, label_ + "/" + purpose);
}

std::string RunContext::artefact_folder(const std::string& name) const {
  const auto path = stage_folder() + "/" + name;
  std::filesystem::create_directories(path);
  return path;
}

void RunContext::record_artefact(const std::string& name, std::any value) {
  artefacts_[name] = {artefact_folder(name), std::move(value)};
}

void RunContext::log(int64_t step, const std::map<std::string, double>& values) {
  Json line = {{"stage", label_}, {"step", step}, {"seconds", now() - stage_start_}};
  for (const auto& [name, value] : values) line[name] = value;
  std::ofstream file(folder_ + "/metrics.jsonl", std::ios::app);
  file << line.dump() << "\n";
  if (!file.flush()) fail(ErrorKind::io, folder_ + "/metrics.jsonl", "cannot be written");
}

void RunContext::metric(const std::string& name, const eval::Interval& value) {
  metrics_[name] = {{"value", value.value}, {"low", value.low}, {"high", value.high}, {"n", value.n}};
}

void RunContext::metric(const std::string& name, double value, int64_t n) {
  metrics_[name] = {{"value", value}, {"low", nullptr}, {"high", nullptr}, {"n", n}};
}

void RunContext::rejected(const std::string& reason, int64_t count) {
  if (count > 0) rejected_[reason] = rejected_.value(reason, int64_t{0}) + count;
}

void RunContext::progress(int64_t done, int64_t total, const std::string& what) {
  if (quiet_) return;
  const double t = now();
  if (!progress_open_ || done < progress_first_) {
    progress_start_ = t;
    progress_first_ = done;
    progress_shown_ = 0;
    progress_open_ = true;
  }
  const bool last = done >= total;
  if (!last && t - progress_shown_ < (terminal_ ? 0.2 : 5.0)) return;
  progress_shown_ = t;
  const double rate = static_cast<double>(done - progress_first_) / std::max(t - progress_start_, 1e-9);
  const auto left =
      rate > 0 && !last ? ", " + duration(static_cast<double>(total - done) / rate) + " left" : "";
  const auto line = fmt::format("  {} {}/{} {} ({:.3g}/s{})", label_, done, total, what, rate, left);
  if (terminal_)
    fmt::print(stderr, "\r\x1b[K{}", line);
  else
    fmt::print(stderr, "{}\n", line);
  if (last) end_progress();
}

void RunContext::end_progress() {
  if (progress_open_ && terminal_) fmt::print(stderr, "\n");
  progress_open_ = false;
}

void RunContext::say(const std::string& line) {
  if (quiet_) return;
  end_progress();
  fmt::print(stderr, "  {}\n", line);
}

void RunContext::stop_if_interrupted() const {
  if (interrupted())
    throw Interrupted(fmt::format("stopped in {}; continue with: plaudit run --resume {}", label_, folder_));
}

void RunContext::begin_stage(const std::string& label) {
  end_progress();
  label_ = label;
  stage_start_ = now();
}

Json RunContext::state() const {
  Json artefacts = Json::object();
  for (const auto& [name, artefact] : artefacts_)
    artefacts[name] = std::filesystem::relative(artefact.folder, folder_).string();
  return {{"artefacts", artefacts},
          {"metrics", metrics_},
          {"rejected", rejected_},
          {"report", report_.sections()}};
}

void RunContext::restore(const Json& state) {
  for (const auto& [name, path] : state["artefacts"].items())
    artefacts_[name] = {folder_ + "/" + path.get<std::string>(), {}};
  metrics_ = state["metrics"];
  rejected_ = state["rejected"];
  report_.restore(state["report"]);
}

}  // namespace plaudit::run
