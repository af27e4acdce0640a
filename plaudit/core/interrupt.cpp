#include "plaudit/core/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <string_view>

namespace plaudit {
namespace {

std::atomic<int> requests{0};
static_assert(std::atomic<int>::is_always_lock_free);  // it is changed in a signal handler

struct sigaction former_int, former_term;

// Only functions that are safe in a signal handler.
void print(std::string_view text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

void on_signal(int signal) {
  if (requests.fetch_add(1) == 0) {
    print("\nplaudit: finishing this step; again to stop at once\n");
    return;
  }
  print("\nplaudit: stopped\n");
  ::_exit(128 + signal);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  requests = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &former_int);
  sigaction(SIGTERM, &action, &former_term);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &former_int, nullptr);
  sigaction(SIGTERM, &former_term, nullptr);
  requests = 0;
}

bool interrupt_requested() {
  return requests.load(std::memory_order_relaxed) > 0;
}

void request_interrupt() {
  ++requests;
}

}  // namespace plaudit
