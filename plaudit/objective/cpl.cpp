#include "plaudit/objective/cpl.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"
#include "plaudit/objective/segment_regret.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

void check_bias(const Check& check, double bias) {
  check.that(bias > 0 && bias <= 1, "bias", "in (0, 1]", bias);
}

}  // namespace

CplResult cpl_loss(const SegmentLogps& logps, const Tensor& label, const CplOptions& options) {
  const Check check("preference.cpl_loss");
  check.not_empty("label", label);
  check.not_empty("logps_a", logps.a);
  check.not_empty("logps_b", logps.b);
  check.dim("label", label, 1);
  check.same_shape("logps_a", logps.a, "logps_b", logps.b);
  check_tokens(check, {{"logps_a", logps.a}}, logps.mask_a, ValidRows::some, "mask_a");
  check_tokens(check, {{"logps_b", logps.b}}, logps.mask_b, ValidRows::some, "mask_b");
  check.same_size("logps_a", logps.a, 0, "label", label, 0);
  check.finite("label", label);
  check.range("label", label, 0, 1);
  check.that(options.alpha > 0, "alpha", "> 0", options.alpha);
  check_bias(check, options.bias);
  check.that(options.gamma > 0 && options.gamma <= 1, "gamma", "in (0, 1]", options.gamma);
  const auto a = options.alpha * discounted_sum(as_real(logps.a), logps.mask_a, options.gamma);
  const auto b = options.alpha * discounted_sum(as_real(logps.b), logps.mask_b, options.gamma);
  const auto y = label.to(a.scalar_type());
  const auto losses = y * logistic_link(a - options.bias * b) + (1 - y) * logistic_link(b - options.bias * a);
  return {losses.mean(), a.gt(b).to(a.scalar_type()).eq(y.round()).to(a.scalar_type()).mean()};
}

CplRankResult cpl_rank_loss(const Tensor& segment_advantages, const Tensor& scores, double bias) {
  const Check check("preference.cpl_rank_loss");
  check.alike({{"segment_advantages", segment_advantages}, {"scores", scores}}, 1);
  check_bias(check, bias);
  const auto s = as_real(segment_advantages);
  const auto better = scores.unsqueeze(1).gt(scores.unsqueeze(0));  // [j,i]: j better than i
  if (readable(better) && !better.any().item<bool>())
    check.refuse(ErrorKind::empty, "scores", "order no pair: all are equal");
  const auto losses = logistic_link(s.unsqueeze(1) - bias * s.unsqueeze(0));
  return {masked_mean(losses, better), better.sum()};
}

Tensor preferred_bc_loss(const Tensor& logps_a, const Tensor& logps_b, const Tensor& label) {
  const Check check("preference.preferred_bc_loss");
  check.not_empty("logps_a", logps_a);
  check.not_empty("logps_b", logps_b);
  check.not_empty("label", label);
  check.dim("logps_a", logps_a, 2);
  check.same_shape("logps_a", logps_a, "logps_b", logps_b);
  check.dim("label", label, 1);
  check.same_size("logps_a", logps_a, 0, "label", label, 0);
  check.finite("logps_a", logps_a);
  check.finite("logps_b", logps_b);
  check.finite("label", label);
  check.range("label", label, 0, 1);
  const auto logps = at::cat({as_real(logps_a), as_real(logps_b)});
  const auto used = at::cat({label.ge(0.5), label.le(0.5)});
  return -masked_mean(logps.mean(1), used);
}

Tensor unit_gaussian_logp(const Tensor& pred, const Tensor& actions) {
  const Check check("policy_gradient.unit_gaussian_logp");
  check.not_empty("pred", pred);
  check.not_empty("actions", actions);
  if (pred.dim() == 0) check.refuse(ErrorKind::shape, "pred", "must have at least 1 dimension");
  check.same_shape("pred", pred, "actions", actions);
  check.finite("pred", pred);
  check.finite("actions", actions);
  return -(as_real(pred) - as_real(actions)).square().sum(-1);
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "cpl_loss(Tensor logps_a, Tensor logps_b, Tensor label, Tensor mask_a, Tensor mask_b, float alpha=0.1, "
      "float bias=0.5, float gamma=1.) -> (Tensor loss, Tensor accuracy)",
      [](const Tensor& a, const Tensor& b, const Tensor& label, const Tensor& mask_a, const Tensor& mask_b,
         double alpha, double bias, double gamma) {
        return as_tuple(cpl_loss({a, b, mask_a, mask_b}, label, {alpha, bias, gamma}));
      },
      "Contrastive preference learning on segments.", {"32"});
  m.def(
      "cpl_rank_loss(Tensor segment_advantages, Tensor scores, float bias=0.5) -> (Tensor loss, Tensor "
      "pairs)",
      [](const Tensor& advantages, const Tensor& scores, double bias) {
        return as_tuple(cpl_rank_loss(advantages, scores, bias));
      },
      "Contrastive preference learning on all ordered pairs of scored segments.", {"32"});
  m.def("preferred_bc_loss(Tensor logps_a, Tensor logps_b, Tensor label) -> (Tensor loss)",
        &preferred_bc_loss, "Behaviour cloning on the preferred segments.", {"32"});
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def("unit_gaussian_logp(Tensor pred, Tensor actions) -> (Tensor logps)", &unit_gaussian_logp,
        "Minus the squared distance of an action from the policy's.", {"32"});
}

}  // namespace plaudit
