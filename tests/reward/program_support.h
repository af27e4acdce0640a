// Helpers of the tests of reward programs.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/reward/program.h"

namespace plaudit::testing {

inline ProgramBinding fixed(std::string path, std::vector<double> numbers, int rank, int64_t rows,
                            int64_t columns, bool query = false) {
  auto kept = std::make_shared<std::vector<double>>(std::move(numbers));
  BindingNumbers shown{rank, rows, columns, kept->data(), kept->empty() ? 0 : kept->front()};
  return {std::move(path), query, "", "", "", [kept, shown](const void*, std::span<const QueryArgument>) {
            return shown;
          }};
}

// self.g [2], self.c [2], self.m [2,3], self.h, self.held()
inline BindingTable table() {
  return {fixed("self.gripper.position", {0.3, 0.5}, 1, 2, 1),
          fixed("self.cube.position", {0.6, 0.1}, 1, 2, 1), fixed("self.points", {1, 2, 3, 4, 5, 6}, 2, 2, 3),
          fixed("self.goal_height", {0.4}, 0, 1, 1), fixed("self.check_grasp", {1}, 0, 1, 1, /*query=*/true)};
}

struct Outcome {
  ProgramError error;
  RewardOut out;
  double seconds = 0;
  std::string kind() const { return std::string(to_string(error.kind)); }
};

inline Outcome run(const std::string& source, ProgramLimits limits = {200'000, 0}) {
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  auto compiled = RewardProgram::compile(source, table());
  outcome.error = compiled.error;
  if (compiled.program) {
    const std::vector<double> action = {0.1, -0.2, 0.7};
    compiled.program->eval({}, action, outcome.out, limits);
    outcome.error = outcome.out.error;
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

// The body of the entry, four spaces in.
inline std::string entry(const std::string& body) {
  std::string out = "def compute_dense_reward(self, action):\n    ";
  for (const char c : body) out += c == '\n' ? "\n    " : std::string(1, c);
  return out + "\n";
}

inline double value_of(const std::string& body) {
  const auto outcome = run(entry(body));
  EXPECT_EQ(outcome.kind(), "none") << body << "\n" << outcome.error.text();
  return outcome.out.reward;
}

inline void expect_fault(const std::string& body, const std::string& kind, int line) {
  const auto outcome = run(entry(body));
  EXPECT_EQ(outcome.kind(), kind) << body << "\n" << outcome.error.text();
  EXPECT_EQ(outcome.error.line, line) << body << "\n" << outcome.error.text();
}

}  // namespace plaudit::testing
