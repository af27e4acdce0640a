#include "plaudit/core/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "plaudit/core/log.h"

namespace plaudit {
namespace {

constexpr double live_interval = 0.1, plain_interval = 5;  // seconds between lines

double rate_of(const ProgressState& s) {
  return s.seconds > 0 && s.done > s.first ? static_cast<double>(s.done - s.first) / s.seconds : 0;
}

// "3.2/s", or "4.1 s each" when one takes more than a second.
std::string rate_text(double rate) {
  if (rate >= 100) return fmt::format("{:.0f}/s", rate);
  if (rate >= 1) return fmt::format("{:.1f}/s", rate);
  return fmt::format("{:.1f} s each", 1 / rate);
}

std::string count_text(const ProgressState& s) {
  return s.total > 0 ? fmt::format("{}/{}", s.done, s.total) : fmt::format("{}", s.done);
}

// Rate and time left, each after `separator`; "" before there is a rate.
std::string tail_text(const ProgressState& s, const char* separator) {
  const double rate = rate_of(s);
  if (rate <= 0) return "";
  auto text = separator + rate_text(rate);
  if (s.total > s.done)
    text += separator + clock_text(static_cast<double>(s.total - s.done) / rate) + " left";
  return text;
}

std::string bar_text(const ProgressState& s, int width) {
  const double share = std::clamp(static_cast<double>(s.done) / static_cast<double>(s.total), 0.0, 1.0);
  const auto filled = static_cast<size_t>(share * width);
  std::string bar(filled, '=');
  if (filled < static_cast<size_t>(width)) bar += '>';
  bar.resize(static_cast<size_t>(width), ' ');
  return "[" + bar + "]";
}

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string progress_bar_line(const ProgressState& s, int columns) {
  const auto tail = count_text(s) + tail_text(s, "  ");
  const int room = columns - 1 - static_cast<int>(s.what.size() + tail.size()) - 4;
  const int width = std::min(room, 40);
  auto line = s.what + " " + (s.total > 0 && width >= 8 ? bar_text(s, width) + " " : "") + tail;
  if (line.size() >= static_cast<size_t>(columns)) line.resize(static_cast<size_t>(std::max(columns - 1, 0)));
  return line;
}

std::string progress_plain_line(const ProgressState& s) {
  auto line = s.what + " " + count_text(s);
  if (s.total > 0) line += fmt::format(" ({} %)", 100 * s.done / s.total);
  return line + tail_text(s, ", ");
}

Progress::Output Progress::standard_output() {
  Output output;
  output.live = has_live_line();
  output.columns = terminal_columns();
  output.line = [](const std::string& text) { say(text); };
  output.live_line = [](const std::string& text) { set_live_line(text); };
  output.seconds = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  return output;
}

Progress::Progress(std::string what, Output output) : output_(std::move(output)) {
  state_.what = std::move(what);
  start_ = shown_ = output_.seconds();
}

Progress::~Progress() {
  finish();
}

void Progress::update(int64_t done, int64_t total) {
  const double now = output_.seconds();
  if (!begun_) {
    begun_ = true;
    state_.first = done;
    start_ = now;
  }
  state_.done = done;
  state_.total = total;
  state_.seconds = now - start_;
  if (now - shown_ < (output_.live ? live_interval : plain_interval)) return;
  shown_ = now;
  if (output_.live)
    output_.live_line(progress_bar_line(state_, output_.columns));
  else
    output_.line(progress_plain_line(state_));
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  if (output_.live) output_.live_line("");
  if (!begun_) return;
  output_.line(
      fmt::format("{} {} in {}", state_.what, count_text(state_), clock_text(output_.seconds() - start_)));
}

}  // namespace plaudit
