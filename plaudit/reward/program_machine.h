// What a running reward program may use: fuel, memory, and the way to stop with an error.
#pragma once

#include <chrono>
#include <string>

#include "plaudit/reward/program_value.h"

namespace plaudit::program {

inline constexpr int64_t kMaxElements = 65536;

struct Position {
  int line;
  int column;
};

class Machine {
 public:
  // --- errors: at the node that runs ---
  [[noreturn]] void fail(ProgramErrorKind kind, std::string message) const;
  [[noreturn]] void type(std::string message) const { fail(ProgramErrorKind::type, std::move(message)); }
  [[noreturn]] void shape(std::string message) const { fail(ProgramErrorKind::shape, std::move(message)); }
  [[noreturn]] void value(std::string message) const { fail(ProgramErrorKind::value, std::move(message)); }
  [[noreturn]] void memory(std::string message) const { fail(ProgramErrorKind::memory, std::move(message)); }

  // --- fuel: 1 per node and 1 per 8 elements produced ---
  void step() {
    if (--fuel_ < check_at_) check();
  }
  void charge(int64_t fuel) {
    if ((fuel_ -= fuel) < check_at_) check();
  }
  void charge_elements(int64_t n) { charge(n / 8); }
  int64_t fuel_left() const { return fuel_; }

  // Starts a call. A wall guard of 0 seconds is none.
  void start(int64_t fuel, double wall_seconds);

  // --- memory ---
  Value array(int64_t n);
  Value array(int64_t rows, int64_t columns);
  // Another array on the numbers of `base`.
  Value view(const Array& base, int rank, int64_t n0, int64_t n1, int64_t stride0, int64_t stride1,
             double* data);
  Value sequence(Tag tag, uint32_t capacity);
  void append(Sequence& sequence, Value item);
  Value range(double start, double step, double count);
  Value function(const FunctionSyntax& syntax, Value parent, uint32_t n_defaults);
  Value environment(uint32_t slots, Value parent);

  ProgramHeap heap;
  Position at = {1, 1};    // of the node that runs
  Position loop = {0, 0};  // of the innermost running loop; line 0 when none runs
  int depth = 0;           // of calls
  int nesting = 0;         // of iterators

 private:
  void check();
  void* allocate(size_t bytes);
  Value array(int rank, int64_t rows, int64_t columns);

  int64_t fuel_ = 0;
  int64_t check_at_ = 0;
  bool guarded_ = false;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace plaudit::program
