// Reward programs outside the language of program.h, run by CPython in a child process that can do nothing
// but compute: no files, no network, no processes, no executable memory (seccomp), 1 GiB, 60 s of processor
// time.
//
// Slower than RewardProgram (NumPy alone costs about 10 us a call) and not deterministic in its limits: for
// programs that RewardProgram::compile refuses and that the user wants all the same. Linux only.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>

#include "plaudit/reward/program.h"

namespace plaudit {

class ProgramProcess {
 public:
  struct Options {
    std::string python = "python3";  // must have NumPy
    double start_seconds = 20;       // for Python to start and NumPy to load
    double batch_seconds = 0.05;     // for up to kBatch calls; then the child is killed
  };
  static constexpr size_t kBatch = 256;

  // Starts the child, which stays until the object goes. Kind io when seccomp or Python with NumPy is
  // missing.
  ProgramProcess(std::string_view text, BindingTable table, Options options);
  ProgramProcess(std::string_view text, BindingTable table);
  ~ProgramProcess();
  ProgramProcess(const ProgramProcess&) = delete;
  ProgramProcess& operator=(const ProgramProcess&) = delete;

  // What was wrong with the text itself.
  const ProgramError& error() const { return error_; }

  // One call per frame, `actions` holding a row for each; the row of the first error, or -1. A child that
  // runs too long is killed (kind fuel), one that makes a forbidden system call dies (forbidden); both for
  // good.
  int64_t eval_batch(std::span<const ProgramFrame> frames, std::span<const double> actions,
                     std::span<RewardOut> outs);

  pid_t pid() const { return pid_; }

 private:
  void start();
  void stop();
  ProgramError death();
  bool send(std::string_view bytes);
  // The next message of the child; false when it died or the time is up (`late_`).
  bool receive(std::string& message, double seconds);
  int64_t eval_part(std::span<const ProgramFrame> frames, const double* actions, size_t width,
                    RewardOut* outs);

  std::string text_;
  BindingTable table_;
  Options options_;
  ProgramError error_;
  pid_t pid_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
  double* shared_ = nullptr;
  bool late_ = false;
};

}  // namespace plaudit
