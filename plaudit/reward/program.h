// Reward programs: Python with NumPy names, as language models write rewards, compiled and run without
// Python.
//
//   auto compiled = RewardProgram::compile(text, table);
//   if (compiled.error) prompt += compiled.error.text();     // what to repair
//   RewardOut out;
//   compiled.program->eval(frame, action, out);              // 0.5 million calls a second and more
//
// The program is a function `compute_dense_reward(self, action[, obs])` that returns a number or a pair
// (number, dict of numbers). `self` shows the bindings of the table and nothing else; nothing survives
// between calls, no program can reach files, network or the process, and the limits below bound each call.
// docs/programs.md has the language. Sources: Xie et al., "Text2Reward", 2023, arXiv 2309.11489; Ma et al.,
// "Eureka", 2023, arXiv 2310.12931.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plaudit/reward/program_error.h"

namespace plaudit {

// What a binding shows: a number (rank 0), a vector (1) or a matrix (2), row by row. `data` must stay until
// the reader is called again.
struct BindingNumbers {
  int rank = 0;
  int64_t rows = 1;     // numbers of a vector
  int64_t columns = 1;  // of a matrix
  const double* data = nullptr;
  double scalar = 0;
  bool boolean = false;  // of a scalar
  bool integer = false;  // of a scalar
};

// An argument of a query, such as max_angle=30; positional arguments have no name.
struct QueryArgument {
  std::string_view name;
  double number = 0;
  const std::string* text = nullptr;  // of a string literal
};

// Reads a binding from the caller's state. What it throws becomes an error of kind value.
using BindingReader =
    std::function<BindingNumbers(const void* state, std::span<const QueryArgument> arguments)>;

struct ProgramBinding {
  std::string path;    // "self.gripper.position"
  bool query = false;  // called: self.check_grasp()
  std::string type;    // for prompts: "float [3]"
  std::string unit;
  std::string doc;
  BindingReader read;
};
using BindingTable = std::vector<ProgramBinding>;

// The table as a language model is shown it: one line per binding.
std::string describe_bindings(const BindingTable& table);

struct ProgramLimits {
  int64_t fuel = 200'000;  // 1 per node and 1 per 8 array elements
  double wall_seconds =
      0.002;  // looked at every 1024 fuel; 0 switches it off, for results that never depend on speed
};

// What one call sees: `state` goes to the readers, `obs` to the third parameter of the entry.
struct ProgramFrame {
  const void* state = nullptr;
  std::optional<std::span<const double>> obs = std::nullopt;
};

struct RewardOut {
  double reward = 0;
  std::vector<std::pair<std::string, double>> components;
  ProgramError error;
  int64_t fuel_used = 0;
  size_t peak_bytes = 0;
};

class RewardProgram {
 public:
  static constexpr const char* kEntry = "compute_dense_reward";

  struct Compiled;
  // The first error in source order, syntax before anything else.
  static Compiled compile(std::string_view text, BindingTable table, std::string_view entry = kEntry);

  // Thread-safe; every thread has memory of its own (4 MiB at most). On an error `out` holds it and no
  // reward.
  ProgramErrorKind eval(const ProgramFrame& frame, std::span<const double> action, RewardOut& out,
                        const ProgramLimits& limits = {}) const noexcept;

  // One call per frame; `actions` holds frames.size() rows. Stops at the first error: its row, or -1.
  int64_t eval_batch(std::span<const ProgramFrame> frames, std::span<const double> actions,
                     std::span<RewardOut> outs, const ProgramLimits& limits = {}) const noexcept;

  const std::string& source() const;

  struct Parts;  // program_resolve.h

 private:
  std::shared_ptr<const Parts> parts_;
};

struct RewardProgram::Compiled {
  std::optional<RewardProgram> program;
  ProgramError error;
};

}  // namespace plaudit
