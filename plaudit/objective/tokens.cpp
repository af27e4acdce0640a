#include "plaudit/objective/tokens.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"

namespace plaudit {
namespace {

int64_t first_true(const Tensor& flags) {
  return flags.to(at::kInt).argmax().item<int64_t>();
}

void check_rows(const Check& check, const Tensor& mask, ValidRows rows, std::string_view name) {
  if (!readable(mask)) return;
  const auto ok = valid(mask);
  if (!ok.any().item<bool>()) check.refuse(ErrorKind::empty, name, "has no valid element");
  if (rows == ValidRows::every) {
    const auto bare = ok.any(1).logical_not();
    if (bare.any().item<bool>())
      check.refuse(ErrorKind::empty, name, fmt::format("has no valid element in row {}", first_true(bare)));
  }
  if (rows == ValidRows::left_aligned) {
    const auto hole = ok.slice(1, 1).logical_and(ok.slice(1, 0, -1).logical_not()).any(1);
    if (hole.any().item<bool>())
      check.refuse(
          ErrorKind::value, name,
          fmt::format("must be a run of valid elements from the left, row {} is not", first_true(hole)));
  }
}

}  // namespace

void check_tokens(const Check& check, std::initializer_list<NamedTensor> tensors, const Tensor& mask,
                  ValidRows rows, std::string_view mask_name) {
  const auto& first = *tensors.begin();
  for (const auto& t : tensors) check.not_empty(t.name, t.value);
  check.not_empty(mask_name, mask);
  check.dim(first.name, first.value, 2);
  for (const auto& t : tensors) check.same_shape(first.name, first.value, t.name, t.value);
  check.same_shape(first.name, first.value, mask_name, mask);
  check_rows(check, mask, rows, mask_name);
  for (const auto& t : tensors) check.finite_where(t.name, t.value, mask);
}

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
