#include "plaudit/reward/score.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

void check_mask(const Check& check, const Tensor& mask) {
  check.not_empty("mask", mask);
  check.dim("mask", mask, 2);
}

void check_rows(const Check& check, const Tensor& mask) {
  if (!readable(mask)) return;
  const auto bare = mask.ne(0).any(1).logical_not();
  if (bare.any().item<bool>())
    check.refuse(ErrorKind::empty, "mask",
                 fmt::format("has no valid position in row {}", bare.to(at::kInt).argmax().item<int64_t>()));
}

Tensor last_valid(const Tensor& mask) {
  const auto position = at::arange(mask.size(1), mask.options().dtype(at::kLong));
  return at::where(valid(mask), position, 0).amax(1);
}

}  // namespace

Tensor last_token_index(const Tensor& mask) {
  const Check check("reward.last_token_index");
  check_mask(check, mask);
  check.no_nan("mask", mask);
  check_rows(check, mask);
  return last_valid(mask);
}

Tensor score_hidden(const Tensor& hidden, const Tensor& mask, const Tensor& weight,
                    const ScoreOptions& options) {
  const Check check("reward.score");
  check.not_empty("hidden", hidden);
  check_mask(check, mask);
  check.not_empty("weight", weight);
  check_rows(check, mask);
  check.dim("hidden", hidden, 3);
  check.same_size("hidden", hidden, 0, "mask", mask, 0);
  check.same_size("hidden", hidden, 1, "mask", mask, 1);
  check.dim("weight", weight, 1);
  check.same_size("hidden", hidden, 2, "weight", weight, 0);
  if (options.bias && options.bias->sym_numel() != 1)
    check.refuse(ErrorKind::shape, "bias", "must be one number, got shape " + shape_of(*options.bias));
  check.finite_where("hidden", hidden, mask.unsqueeze(-1));
  check.finite("weight", weight);
  if (options.bias) check.finite("bias", *options.bias);
  check.choice("pooling", options.pooling, {"last", "mean"});

  const auto h = as_real(hidden);
  Tensor pooled;
  if (options.pooling == "last") {
    const auto index = last_valid(mask).view({-1, 1, 1}).expand_symint({-1, 1, hidden.sym_size(2)});
    pooled = h.gather(1, index).squeeze(1);
  } else {
    pooled = masked_mean(h, mask.unsqueeze(-1), 1);
  }
  const auto rewards = pooled.matmul(as_real(weight).to(h.scalar_type()));
  return options.bias ? rewards + options.bias->reshape({}).to(rewards.scalar_type()) : rewards;
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("last_token_index(Tensor mask) -> (Tensor index)", &last_token_index,
        "The last valid position of each row, padding on either side.", {"17", "14", "44"});
  m.def(
      "score(Tensor hidden, Tensor mask, Tensor weight, Tensor? bias=None, str pooling='last') -> "
      "(Tensor rewards)",
      [](const Tensor& hidden, const Tensor& mask, const Tensor& weight, std::optional<Tensor> bias,
         std::string pooling) {
        return score_hidden(hidden, mask, weight, {std::move(bias), std::move(pooling)});
      },
      "Scalar rewards from hidden states at the last valid token or their masked mean.",
      {"17", "14", "16", "22", "38", "44"});
}

}  // namespace plaudit
