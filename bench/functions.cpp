#include "bench/functions.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <fstream>

#include "bench/solvers.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/parallel.h"
#include "plaudit/model/token_logps.h"
#include "plaudit/objective/advantage.h"
#include "plaudit/objective/discounted_scan.h"
#include "plaudit/objective/returns.h"
#include "plaudit/reward/program.h"

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
  constexpr int64_t side = 2048;
  const auto a = at::rand({side, side}).to(compute), b = at::rand({side, side}).to(compute);
  auto out = at::empty_like(a);
  const double limit_gflop = 2e-9 * side * side * side;
  const double product = 2e-9 * Logps::kRows * Logps::kHidden * Logps::kVocab;
  const auto add = [&](const std::string& name, double gflop, const std::function<void()>& work) {
    fmt::print(stderr, "bench: {} {}\n", name, precision);
    const double memory = extra_mib(work);
    const auto speed = beside_limit(
        work, [&] { gemm(out, a, b); }, /*rounds=*/7, /*seconds=*/0.3);
    report.jobs.push_back({.job = name,
                           .precision = precision,
                           .unit = "GFLOP/s",
                           .ours = {{.rate = gflop / speed.seconds, .peak_mib = memory}},
                           .share_of_limit = gflop / limit_gflop / speed.slower});
  };
  add("token logps", product, [&] { logps.forward(); });
  add("token logps, backward", 3 * product, [&] { logps.forward_backward(); });
}

// One pass over memory that reads three arrays and writes two, which is what GAE cannot do without.
struct FiveArrays {
  at::Tensor a, b, c, first = at::empty_like(a), second = at::empty_like(a);
  void operator()() const {
    const auto *from_a = a.const_data_ptr<float>(), *from_b = b.const_data_ptr<float>(),
               *from_c = c.const_data_ptr<float>();
    auto *to_first = first.mutable_data_ptr<float>(), *to_second = second.mutable_data_ptr<float>();
    parallel_for(0, a.numel(), 16384, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        to_first[i] = from_a[i] * from_c[i] + from_b[i];
        to_second[i] = to_first[i] + from_b[i];
      }
    });
  }
};

// Scans over [256,1024]; the limit is a pass over memory that moves as many arrays of that size.
void add_scans(BenchReport& report) {
  const auto x = at::randn({256, 1024}), values = at::randn_like(x), mask = at::ones_like(x),
             decay = at::rand_like(x);
  auto sum = at::empty_like(x);
  const std::function<void()> three = [&] { at::add_out(sum, x, values); };
  const std::function<void()> five = FiveArrays{x, values, mask};
  const auto millions = 1e-6 * static_cast<double>(x.numel());
  report.limits["three arrays of [256,1024], M/s"] = millions / fastest(three, 0.5);
  report.limits["five arrays of [256,1024], M/s"] = millions / fastest(five, 0.5);
  const auto add = [&](const std::string& name, const std::function<void()>& limit,
                       const std::function<void()>& work) {
    fmt::print(stderr, "bench: {}\n", name);
    const auto speed = beside_limit(work, limit, /*rounds=*/15, /*seconds=*/0.03);
    report.jobs.push_back({.job = name,
                           .precision = "f32",
                           .unit = "M/s",
                           .ours = {{.rate = millions / speed.seconds}},
                           .share_of_limit = 1 / speed.slower});
  };
  add("discounted scan", three, [&] { discounted_scan(x, 0.99); });
  add("discounted scan, decays", three, [&] { discounted_scan(x, decay); });
  add("gae", three, [&] { gae(x, values, mask); });
  add("gae, of five arrays", five, [&] { gae(x, values, mask); });
  add("td lambda returns", three, [&] { td_lambda_returns(x, values, mask); });
  add("returns to go", three, [&] { returns_to_go(x, mask, 0.99); });
  add("returns, d gamma", three, [&] { returns_gamma_derivative(x, mask, 0.99); });
  add("masked whiten", three, [&] { masked_whiten(x, mask); });
}

// Shows `numbers` as a vector, or the only one as a scalar.
ProgramBinding binding(const char* path, const std::vector<double>& numbers, bool query = false) {
  return {.path = path,
          .query = query,
          .type = "",
          .unit = "",
          .doc = "",
          .read = [&numbers](const void*, std::span<const QueryArgument>) -> BindingNumbers {
            if (numbers.size() == 1) return {.scalar = numbers.front()};
            return {.rank = 1, .rows = static_cast<int64_t>(numbers.size()), .data = numbers.data()};
          }};
}

// One call of a reward program after another, as a simulator makes them: reach, grasp and lift a cube.
void add_program(BenchReport& report) {
  static const std::vector<double> gripper = {0.3, 0.5}, cube = {0.6, 0.1}, height = {0.4}, grasp = {1};
  const auto compiled = RewardProgram::compile(
      R"(def compute_dense_reward(self, action):
    w_dist, w_grasp, w_lift = 0.4, 0.2, 0.4
    reward = 0.0
    dist = np.linalg.norm(self.gripper.position - self.cube.position)
    reward += -w_dist * dist
    reward += w_grasp * self.check_grasp()
    lift = self.cube.position[1] - self.goal_height
    reward -= w_lift * np.abs(lift)
    if self.cube.position[1] >= self.goal_height:
        reward += 0.1 * (self.cube.position[1] - self.goal_height)
    reward -= 0.01 * np.linalg.norm(action)
    return reward
)",
      {binding("self.gripper.position", gripper), binding("self.cube.position", cube),
       binding("self.goal_height", height), binding("self.check_grasp", grasp, /*query=*/true)});
  if (!compiled.program) bug("bench functions", compiled.error.text());
  const std::vector<double> action = {0.1, -0.2, 0.7};
  constexpr int calls = 10'000;
  RewardOut out;
  const double seconds = fastest(
      [&] {
        for (int i = 0; i < calls; ++i) compiled.program->eval({}, action, out);
      },
      0.5);
  report.jobs.push_back({.job = "reward program",
                         .precision = "f64",
                         .unit = "calls/s",
                         .ours = {{.rate = calls / seconds, .same_work = {{"reward", out.reward}}}}});
}

}  // namespace

BenchReport run_functions() {
  auto report = begin_report();
  add_logps(report, at::kFloat);
  add_logps(report, at::kBFloat16);
  const at::NoGradGuard no_grad;
  add_scans(report);
  add_program(report);
  add_transport(report);
  add_tabular(report);
  add_best_of_n(report);
  return report;
}

}  // namespace plaudit::bench
