#include "plaudit/core/masked_checks.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"

namespace plaudit {
namespace {

int64_t first_true(const Tensor& flags) {
  return flags.to(at::kInt).argmax().item<int64_t>();
}

}  // namespace

void check_rows(const Check& check, const Tensor& mask, ValidRows rows, std::string_view mask_name) {
  if (!readable(mask)) return;
  const auto ok = valid(mask);
  if (!ok.any().item<bool>()) check.refuse(ErrorKind::empty, mask_name, "has no valid element");
  if (rows == ValidRows::every || rows == ValidRows::every_left_aligned) {
    const auto bare = ok.any(1).logical_not();
    if (bare.any().item<bool>())
      check.refuse(ErrorKind::empty, mask_name,
                   fmt::format("has no valid element in row {}", first_true(bare)));
  }
  if (rows == ValidRows::left_aligned || rows == ValidRows::every_left_aligned) {
    const auto hole = ok.slice(1, 1).logical_and(ok.slice(1, 0, -1).logical_not()).any(1);
    if (hole.any().item<bool>())
      check.refuse(
          ErrorKind::value, mask_name,
          fmt::format("must be a run of valid elements from the left, row {} is not", first_true(hole)));
  }
}

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

}  // namespace plaudit
