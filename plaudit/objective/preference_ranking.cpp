#include "plaudit/objective/preference_ranking.h"

#include <ATen/ATen.h>

#include <limits>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

PairLoss dpo_plackett_luce_loss(const Tensor& logps, const Tensor& ref_logps, double beta) {
  const Check check("preference.dpo_plackett_luce_loss");
  check.alike({{"logps", logps}, {"ref_logps", ref_logps}}, 2);
  const int64_t k = logps.size(1);
  if (k < 2)
    check.refuse(ErrorKind::shape, "logps",
                 "must rank at least 2 answers per prompt, got shape " + shape_of(logps));
  check.that(beta > 0, "beta", "> 0", beta);
  const auto scores = beta * (as_real(logps) - as_real(ref_logps));
  // Row i of [B,K,K] holds the answers still in the race when the i-th is picked.
  const auto out_of_race = at::ones({k, k}, scores.options().dtype(at::kBool)).tril(-1);
  const auto race = scores.unsqueeze(1)
                        .expand({-1, k, k})
                        .masked_fill(out_of_race, -std::numeric_limits<double>::infinity());
  const auto losses = (race.logsumexp(-1) - scores).narrow(1, 0, k - 1).sum(1);
  return {losses.mean(), losses};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "dpo_plackett_luce_loss(Tensor logps, Tensor ref_logps, float beta=0.1) -> (Tensor loss, Tensor "
      "losses)",
      [](const Tensor& logps, const Tensor& ref_logps, double beta) {
        return as_tuple(dpo_plackett_luce_loss(logps, ref_logps, beta));
      },
      "DPO on ranked lists: the Plackett-Luce likelihood of log-ratios.", {"48"});
}

}  // namespace plaudit
