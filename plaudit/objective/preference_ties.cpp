#include "plaudit/objective/preference_ties.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

RankingLoss ranking_loss(const Tensor& rewards, const Tensor& label) {
  const Check check("preference.ranking_loss");
  check.not_empty("rewards", rewards);
  check.not_empty("label", label);
  check.shape("rewards", rewards, {-1, 2});
  check.shape("label", label, {rewards.size(0)});
  check.finite("rewards", rewards);
  check.finite("label", label);
  if (readable(label) && label.ne(0).logical_and(label.ne(1)).logical_and(label.ne(2)).any().item<bool>())
    check.refuse(ErrorKind::value, "label", "must be 0, 1 or 2");
  const auto r = as_real(rewards);
  const auto logp = at::log_softmax(r, 1);
  const auto second = as_real(label).to(r.scalar_type()), tie = second.eq(2);
  const auto target = at::where(tie, 0.5, second);
  const auto loss = -((1 - target) * logp.select(1, 0) + target * logp.select(1, 1)).mean();
  if (readable(tie) && tie.all().item<bool>()) return {loss, std::nullopt};
  const auto right = r.select(1, 1).gt(r.select(1, 0)).eq(second.eq(1)).logical_and(tie.logical_not());
  return {loss, right.sum().to(r.scalar_type()) / tie.logical_not().sum()};
}

Tensor order_consistent_label(const Tensor& labels_ab, const Tensor& labels_ba) {
  const Check check("preference.order_consistent_label");
  check.alike({{"labels_ab", labels_ab}, {"labels_ba", labels_ba}}, 1);
  const auto a = as_real(labels_ab), b = as_real(labels_ba);
  const auto agree = a.ge(0).logical_and(b.ge(0)).logical_and(b.eq(1 - a));
  return at::where(agree, a, at::full_like(a, -1));
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("ranking_loss(Tensor rewards, Tensor label) -> (Tensor loss, Tensor? accuracy)",
        [](const Tensor& rewards, const Tensor& label) { return as_tuple(ranking_loss(rewards, label)); },
        "Softmax preference loss on pairs that may be tied.", {"07"});
  m.def("order_consistent_label(Tensor labels_ab, Tensor labels_ba) -> (Tensor label)",
        &order_consistent_label, "Labels that do not depend on the order of presentation.", {"11"});
}

}  // namespace plaudit
