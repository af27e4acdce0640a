#include "plaudit/core/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace plaudit {
namespace {

volatile std::sig_atomic_t signals = 0;

// Only calls that are safe inside a signal handler.
void on_signal(int signal) {
  if (signals > 0) _exit(128 + signal);
  signals = 1;
  constexpr char text[] = "\nplaudit: finishing this step, then saving; press Ctrl-C again to stop at once\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, sizeof text - 1);
}

}  // namespace

void watch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
  return signals > 0;
}

}  // namespace plaudit
