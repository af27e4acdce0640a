#include "bench/machine.h"

#include <ATen/ATen.h>
#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/csrc/api/include/torch/version.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>
#include <vector>

#include "bench/bench.h"
#include "plaudit/model/multiply.h"
#include "plaudit/model/row_products.h"

namespace plaudit::bench {
namespace {

std::string processor_field(const std::string& wanted) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon != std::string::npos && line.rfind(wanted, 0) == 0)
      return line.substr(std::min(colon + 2, line.size()));
  }
  return "";
}

}  // namespace

double fastest(const std::function<void()>& work, double budget) {
  using clock = std::chrono::steady_clock;
  const auto begin = clock::now();
  double best = 1e300;
  for (int call = 0; call < 3 || std::chrono::duration<double>(clock::now() - begin).count() < budget;
       ++call) {
    const auto start = clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(clock::now() - start).count());
  }
  return best;
}

BesideLimit beside_limit(const std::function<void()>& job, const std::function<void()>& limit, int rounds,
                         double seconds_per_round) {
  BesideLimit out{1e300, 0};
  std::vector<double> slower;
  for (int round = 0; round < rounds; ++round) {
    const double limit_seconds = fastest(limit, seconds_per_round);
    const double job_seconds = fastest(job, seconds_per_round);
    out.seconds = std::min(out.seconds, job_seconds);
    slower.push_back(job_seconds / limit_seconds);
  }
  out.slower = median(std::move(slower));
  return out;
}

Machine machine() {
  Machine m;
  m.processor = processor_field("model name");
  m.cores = sysconf(_SC_NPROCESSORS_ONLN);
  m.threads = at::get_num_threads();
  m.torch = TORCH_VERSION;
  m.blas = AT_MKL_ENABLED() ? "mkl" : at::hasLAPACK() ? "lapack" : "native";
  m.bf16_native = (" " + processor_field("flags") + " ").find(" avx512_bf16 ") != std::string::npos;
  m.memory_gib =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE)) / (1 << 30);
  return m;
}

Json to_json(const Machine& m) {
  return {{"processor", m.processor},  {"cores", m.cores}, {"threads", m.threads},
          {"torch", m.torch},          {"blas", m.blas},   {"bf16", m.bf16_native},
          {"memory_gib", m.memory_gib}};
}

void gemm(at::Tensor& out, const at::Tensor& a, const at::Tensor& b) {
  if (a.scalar_type() == at::kBFloat16 && !multiplies_bf16())
    widened_product(out, a, b);
  else
    multiply_into(out, a, b);
}

double gemm_gflops(at::ScalarType dtype, int64_t rows, int64_t inner, int64_t columns, double seconds) {
  const auto a = at::rand({rows, inner}).to(dtype), b = at::rand({inner, columns}).to(dtype);
  auto out = at::empty({rows, columns}, a.options());
  const double best = fastest([&] { gemm(out, a, b); }, seconds);
  return 2e-9 * static_cast<double>(rows) * static_cast<double>(inner) * static_cast<double>(columns) / best;
}

double memory_read_gbs(double seconds) {
  const auto data = at::ones({64 << 20}, at::kFloat);  // 256 MiB
  double total = 0;
  const double best = fastest([&] { total += data.sum().item<double>(); }, seconds);
  return total > 0 ? 1e-9 * static_cast<double>(data.nbytes()) / best : 0;
}

}  // namespace plaudit::bench
