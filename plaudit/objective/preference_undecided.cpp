#include "plaudit/objective/preference_undecided.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {

MaskedBradleyTerry masked_bradley_terry_loss(const Tensor& rewards_a, const Tensor& rewards_b,
                                             const Tensor& label) {
  const Check check("preference.masked_bradley_terry_loss");
  check.not_empty("rewards_a", rewards_a);
  check.not_empty("rewards_b", rewards_b);
  check.not_empty("label", label);
  check.dim("rewards_a", rewards_a, 1);
  check.same_shape("rewards_a", rewards_a, "rewards_b", rewards_b);
  check.same_shape("rewards_a", rewards_a, "label", label);
  check.no_nan("label", label);
  const auto decided = label.ne(-1);
  if (readable(decided) && !decided.any().item<bool>())
    check.refuse(ErrorKind::empty, "label", "decides no pair: all are -1");
  check.finite_where("rewards_a", rewards_a, decided);
  check.finite_where("rewards_b", rewards_b, decided);
  if (readable(label)) {
    const auto other = label.ne(-1).logical_and(label.ne(0)).logical_and(label.ne(1));
    if (other.any().item<bool>())
      check.refuse(ErrorKind::value, "label",
                   fmt::format("must hold 1, 0 or -1, got {}", label.masked_select(other)[0].item<double>()));
  }
  const auto a = keep_valid(as_real(rewards_a), decided), b = keep_valid(as_real(rewards_b), decided);
  const auto margin = at::where(label.eq(1), a - b, b - a);
  return {masked_mean(logistic_link(margin), decided), masked_mean(margin.gt(0).to(a.scalar_type()), decided),
          decided.sum()};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "masked_bradley_terry_loss(Tensor rewards_a, Tensor rewards_b, Tensor label) -> (Tensor loss, Tensor "
      "accuracy, Tensor used)",
      [](const Tensor& a, const Tensor& b, const Tensor& label) {
        return as_tuple(masked_bradley_terry_loss(a, b, label));
      },
      "Bradley-Terry loss that leaves undecided pairs out.", {"06"});
}

}  // namespace plaudit
