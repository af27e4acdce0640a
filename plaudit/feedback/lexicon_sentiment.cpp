#include "plaudit/feedback/lexicon_sentiment.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

LexiconSentiment lexicon_sentiment(const Tensor& tokens, const Tensor& mask, const Tensor& weights,
                                   double scale) {
  const Check check("reward.lexicon_sentiment");
  check.not_empty("tokens", tokens);
  check.not_empty("weights", weights);
  check.dim("tokens", tokens, 2);
  check.same_shape("tokens", tokens, "mask", mask);
  check.dim("weights", weights, 1);
  check.no_nan("mask", mask);
  check.finite("weights", weights);
  if (std::isnan(scale)) check.refuse(ErrorKind::nan, "scale", "must be a number, got nan");
  check.that(std::isfinite(scale), "scale", "finite", scale);
  if (tokens.is_floating_point())
    check.refuse(ErrorKind::type, "tokens", "must be whole numbers, got floating-point values");

  // What stands under mask 0 is never looked at, be it a token of the vocabulary or not.
  const auto ids = keep_valid(tokens, mask).to(at::kLong);
  check.index_range("tokens", ids, 0, weights.size(0));
  const auto score = masked_sum(as_real(weights).index_select(0, ids.flatten()).view_as(ids), mask, 1);
  return {at::sigmoid(scale * score), score};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "lexicon_sentiment(Tensor tokens, Tensor mask, Tensor weights, float scale=1.) -> (Tensor rewards, "
      "Tensor "
      "score)",
      [](const Tensor& tokens, const Tensor& mask, const Tensor& weights, double scale) {
        return as_tuple(lexicon_sentiment(tokens, mask, weights, scale));
      },
      "Sigmoid of the summed word weights of each sequence.", {"48"});
}

}  // namespace plaudit
