#include "plaudit/core/log.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace plaudit {
namespace {

std::atomic<bool> quiet{false};
std::mutex mutex;
std::string live_line;  // guarded by mutex

constexpr const char* erase_line = "\r\x1b[K";

// One write per line, so that lines of several processes do not mix.
void print_line(std::string_view text) {
  const std::lock_guard lock(mutex);
  const bool live = !live_line.empty();
  const auto out = fmt::format("{}{}\n{}", live ? erase_line : "", text, live_line);
  std::fwrite(out.data(), 1, out.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

void say(std::string_view text) {
  if (!quiet) print_line(fmt::format("plaudit: {}", text));
}

void warn(std::string_view text) {
  print_line(fmt::format("plaudit: warning: {}", text));
}

void set_quiet(bool value) {
  quiet = value;
}

bool is_quiet() {
  return quiet;
}

bool has_live_line() {
  static const bool terminal = [] {
    const char* kind = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
  }();
  return terminal;
}

int terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void set_live_line(const std::string& text) {
  if (quiet || !has_live_line()) return;
  const std::lock_guard lock(mutex);
  if (text.empty() && live_line.empty()) return;
  live_line = text;
  const auto out = erase_line + text;
  std::fwrite(out.data(), 1, out.size(), stderr);
  std::fflush(stderr);
}

}  // namespace plaudit
