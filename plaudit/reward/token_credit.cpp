#include "plaudit/reward/token_credit.h"

#include <ATen/ATen.h>

#include <limits>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

// (p - threshold)/(1 - threshold) clipped to [0, 1].
Tensor above(const Tensor& p, double threshold) {
  return ((p - threshold) / (1 - threshold)).clamp(0, 1);
}

// The largest int(T ratio) of each row, rescaled linearly to [0, 1].
Tensor largest(const Tensor& p, const Tensor& mask, double ratio) {
  const auto infinity = std::numeric_limits<double>::infinity();
  const auto ok = valid(mask);
  const auto count = (ok.sum(1, true).to(at::kDouble) * ratio).floor();
  const auto order = at::argsort(at::where(ok, p, -infinity), /*stable=*/true, 1, /*descending=*/true);
  const auto place = at::arange(p.size(1), order.options()).expand_as(order);
  const auto kept = at::zeros_like(order).scatter(1, order, place).lt(count).logical_and(ok);
  const auto low = at::where(kept, p, infinity).amin(1, true),
             high = at::where(kept, p, -infinity).amax(1, true);
  const auto flat = high.le(low);
  const auto scaled = (p - low) / at::where(flat, at::ones_like(low), high - low);
  return at::where(kept, at::where(flat, at::ones_like(p), scaled), at::zeros_like(p));
}

}  // namespace

TokenCredit token_score_weights(const Tensor& scores, const Tensor& mask, const std::string& mode,
                                double correct, double incorrect) {
  const Check check("reward.token_score_weights");
  check_tokens(check, {{"scores", scores}}, mask, ValidRows::some);
  check.choice("mode", mode, {"threshold", "top_k"});
  for (const auto& [name, x] : {std::pair{"correct", correct}, {"incorrect", incorrect}}) {
    if (mode == "threshold") {
      check.that(x >= 0 && x < 1, name, "in [0, 1)", x);
    } else {
      check.that(x > 0 && x <= 1, name, "in (0, 1]", x);
    }
  }
  const auto s = keep_valid(as_real(scores).detach(), mask);
  const auto prefix = s.cumsum(1) / valid(mask).cumsum(1).clamp_min(1);
  const auto q = at::sigmoid(prefix), wrong = at::sigmoid(-prefix);
  const auto positive = mode == "threshold" ? above(q, correct) : largest(q, mask, correct);
  const auto negative = mode == "threshold" ? above(wrong, incorrect) : largest(wrong, mask, incorrect);
  return {keep_valid(positive, mask), keep_valid(negative, mask), keep_valid(q, mask)};
}

TokenRewardLoss token_reward_loss(const Tensor& scores, const Tensor& mask, const Tensor& correct) {
  const Check check("reward.token_reward_loss");
  check.not_empty("correct", correct);
  check_tokens(check, {{"scores", scores}}, mask, ValidRows::every);
  check_sizes(check, {{"scores", scores, "BT"}, {"correct", correct, "B"}});
  check.finite("correct", correct);
  check.range("correct", correct, 0, 1);
  const auto means = masked_mean(as_real(scores), mask, 1);
  const auto labels = as_real(correct).to(means.scalar_type());
  return {at::binary_cross_entropy_with_logits(means, labels), means};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "token_score_weights(Tensor scores, Tensor mask, str mode='threshold', float correct=0.5, float "
      "incorrect=0.5) "
      "-> (Tensor positive, Tensor negative, Tensor prefix_probability)",
      [](const Tensor& scores, const Tensor& mask, const std::string& mode, double correct,
         double incorrect) { return as_tuple(token_score_weights(scores, mask, mode, correct, incorrect)); },
      "How much credit each token of a right or wrong answer deserves.", {"39"});
  m.def("token_reward_loss(Tensor scores, Tensor mask, Tensor correct) -> (Tensor loss, Tensor mean_scores)",
        [](const Tensor& scores, const Tensor& mask, const Tensor& correct) {
          return as_tuple(token_reward_loss(scores, mask, correct));
        },
        "Cross-entropy of mean token scores with right or wrong.", {"39"});
}

}  // namespace plaudit
