// The machine under a benchmark: what it is, and what it can do at most. Every figure of `plaudit bench`
// stands beside these limits.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "plaudit/core/call.h"

namespace plaudit::bench {

struct Machine {
  std::string processor;  // "AMD EPYC ..."
  int64_t cores = 0;
  int threads = 0;           // that LibTorch uses
  std::string torch;         // version
  std::string blas;          // "mkl", "openblas", ...
  bool bf16_native = false;  // the processor multiplies bf16 itself
  double memory_gib = 0;
};

Machine machine();
Json to_json(const Machine& machine);

// Seconds of the fastest of as many calls as fit into `budget` seconds, at least three.
double fastest(const std::function<void()>& work, double budget);

// A job beside the limit of its machine, measured in turns: a machine that is shared changes its speed within
// a second, and a limit taken once at the start would then be another machine's.
struct BesideLimit {
  double seconds = 0;  // of the fastest call of the job
  double slower = 0;   // seconds of the job over seconds of the limit: median of the rounds
};
BesideLimit beside_limit(const std::function<void()>& job, const std::function<void()>& limit, int rounds,
                         double seconds_per_round);

// out = a b, as fast as this machine has it: where it does not multiply bf16, by way of f32.
void gemm(at::Tensor& out, const at::Tensor& a, const at::Tensor& b);

// Best rate of a [rows, inner] x [inner, columns] product in GFLOP/s, over at least `seconds` of repetitions.
double gemm_gflops(at::ScalarType dtype, int64_t rows, int64_t inner, int64_t columns, double seconds = 0.5);

// Best rate of reading memory, GB/s: the sum over an array far larger than the caches.
double memory_read_gbs(double seconds = 0.5);

}  // namespace plaudit::bench
