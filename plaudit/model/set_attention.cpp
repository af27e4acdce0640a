#include "plaudit/model/set_attention.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

void check_sets(const Check& check, const Tensor& x, const Tensor& mask, const SetAttentionWeights& w) {
  check.not_empty("x", x);
  check.not_empty("mask", mask);
  if (readable(mask) && mask.dim() == 2) {
    const auto bare = valid(mask).any(1).logical_not();
    if (bare.any().item<bool>())
      check.refuse(ErrorKind::empty, "mask",
                   fmt::format("has no member in row {}", bare.to(at::kInt).argmax().item<int64_t>()));
  }
  check.dim("x", x, 3);
  check.shape("mask", mask, {x.size(0), x.size(1)});
  const auto z = x.size(2);
  const std::initializer_list<NamedTensor> matrices = {{"wq", w.wq}, {"wk", w.wk}, {"wv", w.wv}};
  const std::initializer_list<NamedTensor> biases = {{"bq", w.bq}, {"bk", w.bk}, {"bv", w.bv}};
  for (const auto& t : matrices) check.shape(t.name, t.value, {z, z});
  for (const auto& t : biases) check.shape(t.name, t.value, {z});
  check.finite_where("x", x, mask.unsqueeze(-1));
  for (const auto& t : matrices) check.finite(t.name, t.value);
  for (const auto& t : biases) check.finite(t.name, t.value);
}

}  // namespace

Tensor set_attention_pool(const Tensor& x, const Tensor& mask, const SetAttentionWeights& w) {
  const Check check("variational.set_attention_pool");
  check_sets(check, x, mask, w);
  const auto members = keep_valid(as_real(x), mask.unsqueeze(-1));
  const auto project = [&](const Tensor& weight, const Tensor& bias) {
    return at::linear(members, weight.to(members.scalar_type()), bias.to(members.scalar_type()));
  };
  const auto scores = project(w.wq, w.bq).matmul(project(w.wk, w.bk).transpose(1, 2)) /
                      std::sqrt(static_cast<double>(x.size(2)));
  const auto hidden = valid(mask).logical_not().unsqueeze(1);
  const auto attention = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()).softmax(-1);
  return masked_mean(attention.matmul(project(w.wv, w.bv)), mask.unsqueeze(-1), 1);
}

PLAUDIT_FUNCTIONS(variational, m) {
  m.def(
      "set_attention_pool(Tensor x, Tensor mask, Tensor wq, Tensor wk, Tensor wv, Tensor bq, Tensor bk, "
      "Tensor bv) -> (Tensor pooled)",
      [](const Tensor& x, const Tensor& mask, const Tensor& wq, const Tensor& wk, const Tensor& wv,
         const Tensor& bq, const Tensor& bk, const Tensor& bv) {
        return set_attention_pool(x, mask, {wq, wk, wv, bq, bk, bv});
      },
      "Masked self-attention over a set, averaged over its members.", {"16"});
}

}  // namespace plaudit
