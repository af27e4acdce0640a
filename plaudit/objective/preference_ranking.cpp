#include "plaudit/objective/preference_ranking.h"

#include <ATen/ATen.h>

#include <limits>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

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

namespace {

void check_offsets(const Check& check, const Tensor& offsets, int64_t total) {
  if (!readable(offsets)) return;
  const auto first = offsets[0].item<int64_t>(), last = offsets[-1].item<int64_t>();
  check.that(first == 0, "offsets", "0 at its start", first);
  check.that(last == total, "offsets", fmt::format("{} at its end", total), last);
  const auto least = offsets.diff().min().item<int64_t>();
  check.that(least >= 0, "offsets", "ascending", fmt::format("a step of {}", least));
  if (least < 2)
    check.refuse(ErrorKind::empty, "offsets", fmt::format("leave a list of {}, needs at least 2", least));
}

}  // namespace

Tensor ranked_pairs_loss(const Tensor& scores, const Tensor& offsets, double l2) {
  const Check check("preference.ranked_pairs_loss");
  check.not_empty("scores", scores);
  check.not_empty("offsets", offsets);
  check.dim("scores", scores, 1);
  check.dim("offsets", offsets, 1);
  check.finite("scores", scores);
  check.finite("offsets", offsets);
  check.that(offsets.size(0) >= 2, "offsets", "a list of at least 2", offsets.size(0));
  const auto bounds = offsets.to(at::kLong);
  check_offsets(check, bounds, scores.size(0));
  check.that(l2 >= 0, "l2", ">= 0", l2);
  const auto s = as_real(scores);
  const auto list = at::searchsorted(bounds, at::arange(s.size(0), bounds.options()), /*out_int32=*/false,
                                     /*right=*/true) -
                    1;
  // Every pair i < j of one list weighs 1/(pairs of the list * lists).
  const auto length = bounds.diff().to(s.scalar_type());
  const auto weight = 2 / (length * (length - 1) * static_cast<double>(length.size(0)));
  const auto pairs = list.unsqueeze(1).eq(list.unsqueeze(0)).triu(1);
  const auto losses = logistic_link(s.unsqueeze(1) - s.unsqueeze(0)) +
                      l2 / 2 * (s.square().unsqueeze(1) + s.square().unsqueeze(0));
  return (keep_valid(losses, pairs) * weight.index_select(0, list).unsqueeze(1)).sum();
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("ranked_pairs_loss(Tensor scores, Tensor offsets, float l2=0.001) -> (Tensor loss)",
        &ranked_pairs_loss, "Bradley-Terry loss over all pairs of ranked lists.", {"40"});
  m.def(
      "dpo_plackett_luce_loss(Tensor logps, Tensor ref_logps, float beta=0.1) -> (Tensor loss, Tensor "
      "losses)",
      [](const Tensor& logps, const Tensor& ref_logps, double beta) {
        return as_tuple(dpo_plackett_luce_loss(logps, ref_logps, beta));
      },
      "DPO on ranked lists: the Plackett-Luce likelihood of log-ratios.", {"48"});
}

}  // namespace plaudit
