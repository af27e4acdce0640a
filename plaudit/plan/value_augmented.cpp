#include "plaudit/plan/value_augmented.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

Tensor centred(const Tensor& values, bool center) {
  return center ? values - values.mean(-1, true) : values;
}

}  // namespace

Tensor top_k_candidates(const Tensor& logits, int64_t k) {
  const Check check("decode.top_k_candidates");
  check.not_empty("logits", logits);
  check.dim("logits", logits, 2);
  check.finite("logits", logits);
  check.that(k >= 1 && k <= logits.size(1), "k", fmt::format("in [1, {}]", logits.size(1)), k);
  return at::argsort(logits, /*stable=*/true, 1, /*descending=*/true).slice(1, 0, k).contiguous();
}

AugmentedLogits value_augmented_logits(const Tensor& logits, const Tensor& candidate_ids,
                                       const Tensor& candidate_values, double beta, bool center) {
  const Check check("decode.value_augmented_logits");
  check.not_empty("logits", logits);
  check.not_empty("candidate_ids", candidate_ids);
  check.not_empty("candidate_values", candidate_values);
  check.dim("logits", logits, 2);
  check.dim("candidate_ids", candidate_ids, 2);
  check.same_size("logits", logits, 0, "candidate_ids", candidate_ids, 0);
  check.same_shape("candidate_ids", candidate_ids, "candidate_values", candidate_values);
  if (candidate_ids.is_floating_point()) check.refuse(ErrorKind::type, "candidate_ids", "must hold integers");
  check.finite("logits", logits);
  check.finite("candidate_values", candidate_values);
  check.index_range("candidate_ids", candidate_ids, 0, logits.size(1));
  const auto ids = candidate_ids.to(at::kLong);
  if (readable(ids)) {
    const auto sorted = std::get<0>(ids.sort(1));
    if (sorted.slice(1, 1).eq(sorted.slice(1, 0, -1)).any().item<bool>())
      check.refuse(ErrorKind::value, "candidate_ids", "repeats an id in a row");
  }
  check.that(std::isfinite(beta), "beta", "finite", beta);
  const auto l = as_real(logits);
  const auto shift = beta * centred(as_real(candidate_values).to(l.scalar_type()), center);
  const auto shifted = l.scatter_add(1, ids, shift);
  return {shifted, at::softmax(shifted, 1)};
}

Tensor compose_values(const Tensor& values, const Tensor& weights, bool center) {
  const Check check("decode.compose_values");
  check.not_empty("values", values);
  check.not_empty("weights", weights);
  check_sizes(check, {{"values", values, "RBK"}, {"weights", weights, "R"}});
  check.finite("values", values);
  check.finite("weights", weights);
  const auto v = centred(as_real(values), center);
  return (as_real(weights).to(v.scalar_type()).view({-1, 1, 1}) * v).sum(0);
}

Tensor blackbox_probs(const Tensor& top_logps, const Tensor& candidate_values, double beta, bool center) {
  const Check check("decode.blackbox_probs");
  check.not_empty("top_logps", top_logps);
  check.dim("top_logps", top_logps, 2);
  check.same_shape("top_logps", top_logps, "candidate_values", candidate_values);
  check.finite("top_logps", top_logps);
  check.finite("candidate_values", candidate_values);
  check.that(std::isfinite(beta), "beta", "finite", beta);
  const auto l = as_real(top_logps);
  return at::softmax(l + beta * centred(as_real(candidate_values).to(l.scalar_type()), center), 1);
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("top_k_candidates(Tensor logits, int k=20) -> (Tensor ids)", &top_k_candidates,
        "The tokens of largest logit, ties by lower id.", {"42"});
  m.def(
      "value_augmented_logits(Tensor logits, Tensor candidate_ids, Tensor candidate_values, float beta=1., "
      "bool "
      "center=True) -> (Tensor logits, Tensor probs)",
      [](const Tensor& logits, const Tensor& ids, const Tensor& values, double beta, bool center) {
        return as_tuple(value_augmented_logits(logits, ids, values, beta, center));
      },
      "Logits shifted by the values of candidate tokens.", {"42"});
  m.def("compose_values(Tensor values, Tensor weights, bool center=True) -> (Tensor values)", &compose_values,
        "One value per candidate from several rewards.", {"42"});
  m.def(
      "blackbox_probs(Tensor top_logps, Tensor candidate_values, float beta=1., bool center=True) -> (Tensor "
      "probs)",
      &blackbox_probs, "Value-augmented sampling law over the top tokens of a black box.", {"42"});
}

}  // namespace plaudit
