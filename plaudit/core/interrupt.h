// Ctrl-C once: finish the step, save, say how to resume. Twice: stop at once.
//
//   const InterruptGuard guard;             // in the program that runs the work
//   while (!interrupt_requested()) step();  // in the loop
//   throw InterruptedError("...");          // after saving; the program exits with 130
//
// SIGTERM counts as a first Ctrl-C, so that a scheduler's warning leaves a checkpoint, too.
#pragma once

#include <stdexcept>
#include <string>

namespace plaudit {

// The user asked to stop, and everything is saved. The message says how to go on.
class InterruptedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Listens for SIGINT and SIGTERM while it lives; one at a time. The former handlers come back with its end,
// and a request that was made is forgotten.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

// True once the user asked to stop. Cheap; any thread.
bool interrupt_requested();

// As the first Ctrl-C does, without a message.
void request_interrupt();

}  // namespace plaudit
