#include "plaudit/eval/overoptimisation_fit.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

OveroptimisationFit overoptimisation_fit(const Tensor& kl, const Tensor& gold, const std::string& kind) {
  const Check check("eval.overoptimisation_fit");
  check.alike({{"kl", kl}, {"gold", gold}}, 1);
  const auto least = kl.min().item<double>();
  check.that(least >= 0, "kl", ">= 0", least);
  check.choice("kind", kind, {"best_of_n", "rl"});
  const auto moved = kl.gt(0);
  const auto points = moved.sum().item<int64_t>();
  if (points < 2)
    check.refuse(ErrorKind::empty, "kl", fmt::format("has {} points above 0, needs at least 2", points));
  const auto d = kl.masked_select(moved).to(at::kDouble).sqrt();
  const auto target = gold.masked_select(moved).to(at::kDouble);
  const auto features = at::stack({d, -(kind == "rl" ? d * d.log() : d.square())}, 1);
  const auto solution = at::linalg_pinv(features).matmul(target);
  return {solution[0], solution[1], features.matmul(solution)};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def(
      "overoptimisation_fit(Tensor kl, Tensor gold, str kind='best_of_n') -> (Tensor alpha, Tensor beta, "
      "Tensor predicted)",
      [](const Tensor& kl, const Tensor& gold, const std::string& kind) {
        return as_tuple(overoptimisation_fit(kl, gold, kind));
      },
      "Gold reward as a function of the distance from the start.", {"40"});
}

}  // namespace plaudit
