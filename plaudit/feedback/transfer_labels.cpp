#include "plaudit/feedback/transfer_labels.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

void check_arguments(const Check& check, const Tensor& plan, const Tensor& labels, const Tensor& pairs) {
  check.not_empty("T", plan);
  check.not_empty("source_labels", labels);
  check.not_empty("pairs", pairs);
  check.dim("T", plan, 2);
  check.shape("source_labels", labels, {plan.size(0), plan.size(0)});
  check.shape("pairs", pairs, {-1, 2});
  check.finite("T", plan);
  check.index_range("pairs", pairs, 0, plan.size(1));
}

}  // namespace

Tensor transfer_labels(const Tensor& plan, const Tensor& source_labels, const Tensor& pairs, bool normalize) {
  const Check check("preference.transfer_labels");
  check_arguments(check, plan, source_labels, pairs);
  const auto t = as_real(plan), raw = as_real(source_labels).to(t.scalar_type());
  const auto known = at::isnan(raw).logical_not();
  const auto z = at::where(known, raw, 0.0);
  check.range("source_labels", z, 0, 1);
  const auto index = pairs.to(at::kLong);
  const auto from = t.index_select(1, index.select(1, 0)), to = t.index_select(1, index.select(1, 1));
  const auto label = (from * z.matmul(to)).sum(0);
  const auto weight = (from * known.to(t.scalar_type()).matmul(to)).sum(0);
  if (readable(weight)) {
    const auto bare = weight.eq(0);
    if (bare.any().item<bool>())
      check.refuse(ErrorKind::empty, "source_labels",
                   fmt::format("hold no label that the plan carries to pair {}",
                               bare.to(at::kInt).argmax().item<int64_t>()));
  }
  return normalize ? label / weight : label;
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "transfer_labels(Tensor T, Tensor source_labels, Tensor pairs, bool normalize=True) -> (Tensor "
      "labels)",
      &transfer_labels, "Preference labels of target pairs from source labels and a transport plan.", {"01"});
}

}  // namespace plaudit
