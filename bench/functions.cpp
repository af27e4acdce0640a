#include "bench/functions.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <fstream>

#include "plaudit/model/token_logps.h"
#include "plaudit/objective/advantage.h"
#include "plaudit/objective/discounted_scan.h"

namespace plaudit::bench {
namespace {

// A number of /proc/self/status in MiB.
double status_mib(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.rfind(field + ":", 0) == 0) return std::stod(line.substr(field.size() + 1)) / 1024;
  return 0;
}

// What `work` needs at its peak beyond what was there before, MiB.
double extra_mib(const std::function<void()>& work) {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew
  const double before = status_mib("VmRSS");
  work();
  return std::max(0.0, status_mib("VmHWM") - before);
}

// Log-probabilities of 2,048 tokens over 49,152 words from states of 576 numbers, as SmolLM2 has them.
struct Logps {
  static constexpr int64_t kRows = 2048, kHidden = 576, kVocab = 49152;
  at::ScalarType compute;
  at::Tensor hidden = at::randn({kRows, kHidden}).requires_grad_();
  at::Tensor weight = (at::randn({kVocab, kHidden}) * 0.02).requires_grad_();
  at::Tensor targets = at::randint(kVocab, {kRows}, at::kLong);

  void forward() const {
    const at::NoGradGuard no_grad;
    token_logps(hidden, weight, targets, {}, compute);
  }
  void forward_backward() const {
    const auto [logps, entropy] = token_logps(hidden, weight, targets, {}, compute);
    torch::autograd::grad({-logps.mean()}, {hidden, weight});
  }
};

void add_logps(BenchReport& report, at::ScalarType compute) {
  const Logps logps{compute};
  const std::string precision = compute == at::kFloat ? "f32" : "bf16";
  const double limit = report.limits.at("gemm " + precision + " 2048, GFLOP/s");
  const double product = 2e-9 * Logps::kRows * Logps::kHidden * Logps::kVocab;
  const auto add = [&](const std::string& name, double gflop, const std::function<void()>& work) {
    const double memory = extra_mib(work);
    const double rate = gflop / fastest(work, 3);
    report.jobs.push_back({.job = name,
                           .precision = precision,
                           .unit = "GFLOP/s",
                           .ours = {{.rate = rate, .peak_mib = memory}},
                           .share_of_limit = rate / limit});
  };
  add("token logps", product, [&] { logps.forward(); });
  add("token logps, backward", 3 * product, [&] { logps.forward_backward(); });
}

// Scans over [256,1024]; the limit is one pass that reads and writes an array of that size.
void add_scans(BenchReport& report) {
  const auto x = at::randn({256, 1024}), values = at::randn_like(x), mask = at::ones_like(x),
             decay = at::rand_like(x);
  auto out = at::empty_like(x);
  const double pass = fastest([&] { at::add_out(out, x, values); }, 0.5);
  const auto millions = 1e-6 * static_cast<double>(x.numel());
  report.limits["one pass over [256,1024], M/s"] = millions / pass;
  const auto add = [&](const std::string& name, const std::function<void()>& work) {
    const double seconds = fastest(work, 0.5);
    report.jobs.push_back({.job = name,
                           .precision = "f32",
                           .unit = "M/s",
                           .ours = {{.rate = millions / seconds}},
                           .share_of_limit = pass / seconds});
  };
  add("discounted scan", [&] { discounted_scan(x, 0.99); });
  add("discounted scan, decays", [&] { discounted_scan(x, decay); });
  add("gae", [&] { gae(x, values, mask); });
}

}  // namespace

BenchReport run_functions() {
  auto report = begin_report();
  add_logps(report, at::kFloat);
  add_logps(report, at::kBFloat16);
  const at::NoGradGuard no_grad;
  add_scans(report);
  return report;
}

}  // namespace plaudit::bench
