#include "plaudit/model/lora.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"

namespace plaudit {

double lora_scale(double alpha, int64_t rank, bool rslora) {
  const auto r = static_cast<double>(rank);
  return alpha / (rslora ? std::sqrt(r) : r);
}

LoraLayer make_lora(const Tensor& weight, const LoraOptions& options, Rng rng) {
  const auto bound = 1 / std::sqrt(static_cast<double>(weight.size(1)));
  // The adapter is small and learns by small steps: f32 even over bf16 weights.
  const auto dtype = weight.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto a = rng.uniform_tensor({options.rank, weight.size(1)}, dtype).mul_(2 * bound).sub_(bound);
  const auto b = at::zeros({weight.size(0), options.rank}, weight.options().dtype(dtype));
  return {a.to(weight.device()).requires_grad_(true), b.requires_grad_(true),
          lora_scale(options.alpha, options.rank, options.rslora), options.dropout};
}

Tensor lora_merge(const Tensor& weight, const Tensor& lora_a, const Tensor& lora_b, double alpha,
                  bool rslora) {
  const Check check("decode.lora_merge");
  check.not_empty("weight", weight);
  check.not_empty("lora_a", lora_a);
  check.not_empty("lora_b", lora_b);
  check_sizes(check, {{"weight", weight, "OI"}, {"lora_a", lora_a, "RI"}, {"lora_b", lora_b, "OR"}});
  check.no_nan("weight", weight);
  check.no_nan("lora_a", lora_a);
  check.no_nan("lora_b", lora_b);
  const auto w = as_real(weight);
  const auto update = at::matmul(as_real(lora_b).to(w.scalar_type()), as_real(lora_a).to(w.scalar_type()));
  return w + lora_scale(alpha, lora_a.size(0), rslora) * update;
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "lora_merge(Tensor weight, Tensor lora_a, Tensor lora_b, *, float alpha=32.0, bool rslora=False) -> "
      "(Tensor weight)",
      &lora_merge, "The weight with a low-rank adapter folded in.", {"90"});
}

}  // namespace plaudit
