// A reward model that rewrites answers: tokens that it keeps are good, tokens that it replaces are bad.
//
// Zhou et al., "Sequence to Sequence Reward Modeling", 2024, arXiv 2409.00162; the scoring rules are
// plaudit's. [B,T] log-probabilities under masks valid where nonzero. UserErrors: a row without tokens
// (empty), shape, nan, a positive log-probability or an option out of range (value).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

struct Seq2seqLossOptions {
  double identity_weight = 1;          // of the identity term, >= 0
  std::string normalize = "sequence";  // mean over rows of the row sum, or "token": mean over all tokens
};

struct Seq2seqLoss {
  Tensor loss;        // scalar, correction + identity_weight identity
  Tensor correction;  // scalar, rejected answers rewritten into chosen ones
  Tensor identity;    // scalar, chosen answers copied
};

// Sequence maximum likelihood of both mappings; the two batches may have any sizes.
Seq2seqLoss seq2seq_rm_loss(const Tensor& correction_logps, const Tensor& correction_mask,
                            const Tensor& identity_logps, const Tensor& identity_mask,
                            const Seq2seqLossOptions& options = {});

// Score of a whole answer: the mean token log-probability of leaving it as it is, [B].
Tensor identity_score(const Tensor& identity_logps, const Tensor& mask);

struct ShapingOptions {
  double kl_coef = 0.05;                          // >= 0
  bool length_normalize = false;                  // divide the feedback by the tokens of the row
  std::optional<Tensor> terminal = std::nullopt;  // [B], added at the last valid token
};

struct ShapedFeedback {
  Tensor rewards;  // [B,T], feedback - kl_coef (logps - ref_logps), 0 under the mask
  Tensor returns;  // [B], row sums
};

// Token rewards for PPO from `feedback`, `logps`, `ref_logps`, `mask` [B,T].
ShapedFeedback token_feedback_shaping(const Tensor& feedback, const Tensor& logps, const Tensor& ref_logps,
                                      const Tensor& mask, const ShapingOptions& options = {});

struct SequenceFeedback {
  Tensor keep;           // [B,T] i64, 1 for a kept token, rows padded with 0 to the longest response
  Tensor reward;         // [B,T], `positive` for a kept token, `negative` for another, 0 for padding
  Tensor kept_fraction;  // [B]
};

struct FeedbackOptions {
  // "lcs" keeps a longest common subsequence, "prefix" the tokens before the first difference, "position" the
  // tokens that stand at the same place.
  std::string align = "lcs";
  double positive = 1;
  double negative = -1;
};

// Aligns each response with its rewrite, both token ids. An empty rewrite keeps nothing; an empty response is
// an error of kind empty.
SequenceFeedback sequence_feedback(const std::vector<std::vector<int64_t>>& response,
                                   const std::vector<std::vector<int64_t>>& correction,
                                   const FeedbackOptions& options = {});

}  // namespace plaudit
