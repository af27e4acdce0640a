#include "plaudit/eval/sampled_values.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

constexpr int64_t kRows = 16384;  // of a chunk: features of all transitions need not fit into memory

// 1, x, x^2 and tanh(x W + b) of the standardised state x.
class StateFeatures {
 public:
  StateFeatures(const Tensor& states, int64_t random, Rng& rng)
      : mean_(states.mean(0)), std_(states.std(0, /*unbiased=*/false).clamp_min(1e-8)) {
    const int64_t size = states.size(1);
    weight_ = rng.normal_tensor({size, random}, at::kDouble) * (2 / std::sqrt(static_cast<double>(size)));
    bias_ = rng.normal_tensor({random}, at::kDouble);
  }
  // [..., S] to [..., F].
  Tensor operator()(const Tensor& states) const {
    const auto x = ((states - mean_) / std_).clamp(-10, 10);
    return at::cat({at::ones_like(x.slice(-1, 0, 1)), x, x.square(), (at::matmul(x, weight_) + bias_).tanh()},
                   -1);
  }

 private:
  Tensor mean_, std_, weight_, bias_;
};

}  // namespace

SampledValues sampled_values(const Tensor& states, const Tensor& next_states, const Tensor& rewards,
                             const Tensor& terminal, double gamma, const SampledValueOptions& options,
                             Rng& rng) {
  const Check check("reward.sampled_values");
  check_arguments(check, {{"states", states, "NS"},
                          {"next_states", next_states, "NKS"},
                          {"rewards", rewards, "NR"},
                          {"terminal", terminal, "N"}});
  check.that(gamma >= 0 && gamma < 1, "gamma", "in [0, 1)", gamma);
  check.that(options.features >= 0, "features", ">= 0", options.features);
  check.that(options.ridge >= 0, "ridge", ">= 0", options.ridge);
  const auto s = on_cpu_f64(states), next = on_cpu_f64(next_states), r = on_cpu_f64(rewards);
  const auto goes_on = gamma * (1 - on_cpu_f64(terminal)).unsqueeze(1);
  const StateFeatures features(s, options.features, rng);

  Tensor system, target;
  const auto n = s.size(0);
  const auto chunk = [&](int64_t from) {
    const auto to = std::min(from + kRows, n);
    return std::pair{features(s.slice(0, from, to)),
                     features(next.slice(0, from, to)).mean(1) * goes_on.slice(0, from, to)};
  };
  for (int64_t from = 0; from < n; from += kRows) {
    const auto [here, there] = chunk(from);
    const auto part = at::matmul(here.t(), here - there),
               part_target = at::matmul(here.t(), r.slice(0, from, from + kRows));
    system = system.defined() ? system + part : part;
    target = target.defined() ? target + part_target : part_target;
  }
  const auto ridge = options.ridge * static_cast<double>(n) * at::eye(system.size(0), system.options());
  const auto weight = at::linalg_solve(system + ridge, target);  // [F,R]
  if (!at::isfinite(weight).all().item<bool>())
    check.refuse(ErrorKind::value, "ridge",
                 fmt::format("must be larger: the values have no solution at {}", options.ridge));

  SampledValues out{at::empty_like(r), at::empty({n, next.size(1), r.size(1)}, r.options()), {}};
  for (int64_t from = 0; from < n; from += kRows) {
    const auto to = std::min(from + kRows, n);
    out.values.slice(0, from, to).copy_(at::matmul(features(s.slice(0, from, to)), weight));
    out.next_values.slice(0, from, to)
        .copy_(at::matmul(features(next.slice(0, from, to)), weight) *
               ((1 - on_cpu_f64(terminal).slice(0, from, to)).view({-1, 1, 1})));
  }
  const auto off = at::matmul(system, weight) - target;
  out.residual = off.norm(2, 0) / target.norm(2, 0).clamp_min(1e-300);
  return out;
}

}  // namespace plaudit
