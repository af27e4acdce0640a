#include "plaudit/objective/tokens.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"

namespace plaudit {
Tensor is_last_valid(const Tensor& mask) {
  const auto ok = valid(mask).to(at::kLong);
  // The last valid element is valid and counts every valid element of its row.
  return ok.cumsum(1).eq(ok.sum(1, true)).logical_and(ok);
}

void check_reduction(const Check& check, const TokenReduction& reduction) {
  check.choice("reduction", reduction.kind, {"token_mean", "sequence_mean", "constant"});
  if (reduction.kind == "constant") {
    if (!reduction.max_length)
      check.refuse(ErrorKind::value, "max_length", "is needed by the reduction constant");
    check.that(*reduction.max_length >= 1, "max_length", ">= 1", *reduction.max_length);
  }
}

Tensor reduce_tokens(const Tensor& losses, const Tensor& mask, const TokenReduction& reduction) {
  if (reduction.kind == "token_mean") return masked_mean(losses, mask);
  if (reduction.kind == "constant")
    return keep_valid(losses, mask).sum() / (losses.size(0) * static_cast<double>(*reduction.max_length));
  const auto rows = valid(mask).any(1);
  return masked_mean(masked_mean(losses, mask, 1), rows);
}

}  // namespace plaudit
