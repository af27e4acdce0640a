#include "plaudit/model/pooling.h"

#include <ATen/ATen.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"

namespace plaudit {

Tensor mean_pool(const Tensor& hidden, const Tensor& mask, bool normalize, std::string_view function) {
  const Check check(function);
  check.not_empty("hidden", hidden);
  check.not_empty("mask", mask);
  check_sizes(check, {{"hidden", hidden, "BTD"}, {"mask", mask, "BT"}});
  const auto keep = mask.ne(0);
  check.finite_where("hidden", hidden, keep.unsqueeze(-1).expand_as(hidden));
  if (readable(keep)) {
    const auto none = keep.any(1).logical_not().nonzero();
    if (none.numel() > 0)
      check.refuse(ErrorKind::empty, "mask", fmt::format("has no token in row {}", none[0].item<int64_t>()));
  }
  // Masked values are replaced, not multiplied: they may be infinite.
  const auto sum = as_real(hidden).masked_fill(keep.logical_not().unsqueeze(-1), 0).sum(1);
  const auto mean = sum / keep.sum(1, true);
  return normalize ? mean / mean.norm(2, {-1}, true).clamp_min(1e-12) : mean;
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("mean_pool(Tensor hidden, Tensor mask, *, bool normalize=True) -> (Tensor embedding)",
        [](const Tensor& hidden, const Tensor& mask, bool normalize) {
          return mean_pool(hidden, mask, normalize);
        },
        "Masked mean of token vectors, by default divided by its L2 norm.", {"90", "28"});
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("mean_pool(Tensor hidden, Tensor mask) -> (Tensor embedding)",
        [](const Tensor& hidden, const Tensor& mask) {
          return mean_pool(hidden, mask, false, "reward.mean_pool");
        },
        "Masked mean of token vectors: decode.mean_pool without the norm.", {"22"});
}

}  // namespace plaudit
