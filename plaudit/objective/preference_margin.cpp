#include "plaudit/objective/preference_margin.h"

#include <ATen/ATen.h>

namespace plaudit {

PairLogps checked_pair(const Check& check, const PairLogps& pair) {
  check.alike({{"chosen_logps", pair.chosen},
               {"rejected_logps", pair.rejected},
               {"ref_chosen_logps", pair.ref_chosen},
               {"ref_rejected_logps", pair.ref_rejected}},
              1);
  return {as_real(pair.chosen), as_real(pair.rejected), as_real(pair.ref_chosen), as_real(pair.ref_rejected)};
}

Tensor checked_lengths(const Check& check, std::string_view name, const Tensor& lengths,
                       std::string_view like_name, const Tensor& like) {
  check.same_shape(like_name, like, name, lengths);
  check.finite(name, lengths);
  if (readable(lengths)) {
    const auto least = lengths.min().item<double>();
    check.that(least > 0, name, "> 0", least);
  }
  return lengths.to(like.scalar_type());
}

PairLogps per_token(const Check& check, const PairLogps& pair, const Tensor& chosen_lengths,
                    const Tensor& rejected_lengths) {
  const auto w = checked_lengths(check, "chosen_lengths", chosen_lengths, "chosen_logps", pair.chosen);
  const auto l =
      checked_lengths(check, "rejected_lengths", rejected_lengths, "rejected_logps", pair.rejected);
  return {pair.chosen / w, pair.rejected / l, pair.ref_chosen / w, pair.ref_rejected / l};
}

Tensor log_ratio_margin(const PairLogps& pair, bool reference_free) {
  const auto policy = pair.chosen - pair.rejected;
  return reference_free ? policy : policy - (pair.ref_chosen - pair.ref_rejected);
}

ImplicitRewards implicit_rewards(const PairLogps& pair, double beta) {
  const auto chosen = beta * (pair.chosen - pair.ref_chosen).detach();
  const auto rejected = beta * (pair.rejected - pair.ref_rejected).detach();
  return {chosen, rejected, chosen.gt(rejected).to(chosen.scalar_type()).mean()};
}

}  // namespace plaudit
