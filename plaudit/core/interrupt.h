// Ctrl-C: the first asks to finish the step, save and say how to resume; the second stops at once.
#pragma once

#include <stdexcept>
#include <string>

namespace plaudit {

// Thrown where a run can stop; the message says how to resume. The program ends with exit code 130.
struct Interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Catches SIGINT and SIGTERM from now on.
void watch_interrupts();
// True once one of them came.
bool interrupted();

}  // namespace plaudit
