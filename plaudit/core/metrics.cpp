#include "plaudit/core/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "plaudit/core/call.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/tensorboard.h"

namespace plaudit {
namespace {

constexpr const char* events_name = "/events.out.tfevents.plaudit";

double now() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  // To the millisecond, so that lines stay short.
  return std::round(std::chrono::duration<double>(time).count() * 1000) / 1000;
}

double number_from(const Json& value) {
  if (value.is_number()) return value.get<double>();
  const auto text = value.get<std::string>();
  return text == "nan" ? std::nan("") : text == "inf" ? INFINITY : -INFINITY;
}

void append(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::app | std::ios::binary);
  file << bytes;
  if (!file.flush()) fail(ErrorKind::io, path, "cannot be written; is the disk full?");
}

std::map<std::string, double> tagged(const std::string& stage, const std::map<std::string, double>& values) {
  std::map<std::string, double> out;
  for (const auto& [name, value] : values) out[stage + "/" + name] = value;
  return out;
}

bool is_reserved(const std::string& name) {
  return name == "stage" || name == "step" || name == "time";
}

}  // namespace

MetricsLog::MetricsLog(std::string folder) : folder_(std::move(folder)) {
  create_folder(folder_);
  read_old_lines();
  rewrite_events();
}

void MetricsLog::read_old_lines() {
  std::ifstream probe(path(), std::ios::binary);
  if (!probe) return;
  const auto text = read_file(path());
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto line = Json::parse(text.begin() + static_cast<ptrdiff_t>(begin),
                                  text.begin() + static_cast<ptrdiff_t>(end), nullptr, false);
    if (!line.is_object() || !line.contains("stage") || !line.contains("step"))
      fail(ErrorKind::type, path(), fmt::format("byte {} does not start a line of metrics", begin));
    old_.push_back({line["stage"].get<std::string>(), line["step"].get<int64_t>(), begin});
  }
  if (begin < text.size()) truncate(begin);
}

void MetricsLog::truncate(uint64_t size) {
  if (::truncate(path().c_str(), static_cast<off_t>(size)) != 0)
    fail(ErrorKind::io, path(), "cannot be shortened");
}

// Event files cannot be cut like lines of text: they are written anew from the lines.
void MetricsLog::rewrite_events() const {
  std::string bytes = event_file_header(now());
  std::ifstream probe(path(), std::ios::binary);
  if (probe) {
    for_each_line(path(), [&](int64_t, const std::string& text) {
      const auto line = Json::parse(text);
      std::map<std::string, double> values;
      for (const auto& [name, value] : line.items()) {
        if (!is_reserved(name)) values[name] = number_from(value);
      }
      bytes += event_record(line["time"].get<double>(), line["step"].get<int64_t>(),
                            tagged(line["stage"].get<std::string>(), values));
    });
  }
  write_file_atomic(folder_ + events_name, bytes);
}

void MetricsLog::begin(const std::string& stage) {
  stage_ = stage;
}

void MetricsLog::log(int64_t step, const std::map<std::string, double>& values) {
  const auto replaced = std::find_if(old_.begin(), old_.end(), [&](const OldLine& line) {
    return line.stage == stage_ && line.step >= step;
  });
  if (replaced != old_.end()) {
    truncate(replaced->offset);
    old_.erase(replaced, old_.end());
    rewrite_events();
  }
  const double time = now();
  Json line = {{"stage", stage_}, {"step", step}, {"time", time}};
  for (const auto& [name, value] : values) {
    if (is_reserved(name)) bug("metrics", "'" + name + "' is not a name for a metric");
    line[name] = json_number(value);
  }
  append(path(), line.dump() + "\n");
  append(folder_ + events_name, event_record(time, step, tagged(stage_, values)));
}

}  // namespace plaudit
