#include "plaudit/objective/advantage.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/discounted_scan.h"
#include "plaudit/objective/fused_steps.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {

namespace {

GaeResult gae_of(const Check& check, const Tensor& rewards, const Tensor& values, const Tensor& mask,
                 const GaeOptions& options, bool need_advantages = true) {
  if (auto fused = fused_gae(rewards, values, mask, options.gamma, options.lam, need_advantages))
    return {fused->advantages, fused->returns};
  check_tokens(check, {{"rewards", rewards}, {"values", values}}, mask, ValidRows::left_aligned);
  check.that(options.gamma >= 0 && options.gamma <= 1, "gamma", "in [0, 1]", options.gamma);
  check.that(options.lam >= 0 && options.lam <= 1, "lam", "in [0, 1]", options.lam);
  // Zeros under the mask make the value after the last valid step, and every advantage there, 0.
  const auto r = keep_valid(as_real(rewards), mask), v = keep_valid(as_real(values), mask);
  const auto next = at::constant_pad_nd(v.slice(1, 1), {0, 1});
  const auto advantages = discounted_scan(r + options.gamma * next - v, options.gamma * options.lam);
  return {advantages, advantages + v};
}

}  // namespace

GaeResult gae(const Tensor& rewards, const Tensor& values, const Tensor& mask, const GaeOptions& options) {
  return gae_of(Check("advantage.gae"), rewards, values, mask, options);
}

Tensor td_lambda_returns(const Tensor& rewards, const Tensor& values, const Tensor& mask,
                         const GaeOptions& options) {
  return gae_of(Check("advantage.td_lambda_returns"), rewards, values, mask, options,
                /*need_advantages=*/false)
      .returns;
}

Tensor masked_whiten(const Tensor& x, const Tensor& mask, const WhitenOptions& options) {
  if (auto fused = fused_whiten(x, mask, options.shift_mean, options.eps)) return *fused;
  const Check check("advantage.masked_whiten");
  check_tokens(check, {{"x", x}}, mask, ValidRows::some);
  const auto count = valid(mask).sum();
  if (readable(count) && count.item<int64_t>() < 2)
    check.refuse(ErrorKind::empty, "mask", "must have at least 2 valid elements, got 1");
  check.that(options.eps > 0, "eps", "> 0", options.eps);
  const auto values = as_real(x);
  const auto mean = masked_mean(values, mask);
  const auto centred = keep_valid(values - mean, mask);
  const auto variance = centred.square().sum() / (count - 1);
  const auto whitened = centred * (variance + options.eps).rsqrt();
  return options.shift_mean ? whitened : keep_valid(whitened + mean, mask);
}

PLAUDIT_FUNCTIONS(advantage, m) {
  m.def(
      "gae(Tensor rewards, Tensor values, Tensor mask, float gamma=1., float lam=0.95) -> (Tensor "
      "advantages, Tensor returns)",
      [](const Tensor& rewards, const Tensor& values, const Tensor& mask, double gamma, double lam) {
        return as_tuple(gae(rewards, values, mask, {gamma, lam}));
      },
      "Generalised advantage estimation over masked steps.", {"15", "30"});
  m.def(
      "td_lambda_returns(Tensor rewards, Tensor values, Tensor mask, float gamma=1., float lam=0.95) -> "
      "(Tensor "
      "returns)",
      [](const Tensor& rewards, const Tensor& values, const Tensor& mask, double gamma, double lam) {
        return td_lambda_returns(rewards, values, mask, {gamma, lam});
      },
      "TD(lambda) targets over masked steps.", {"42"});
  m.def("masked_whiten(Tensor x, Tensor mask, bool shift_mean=True, float eps=1e-08) -> (Tensor whitened)",
        [](const Tensor& x, const Tensor& mask, bool shift_mean, double eps) {
          return masked_whiten(x, mask, {shift_mean, eps});
        },
        "Zero mean and unit variance over the valid elements of a batch.", {"15", "30"});
}

}  // namespace plaudit
