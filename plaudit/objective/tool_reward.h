// The loss of a reward model that calls tools before it scores.
//
// Li et al., "Tool-Augmented Reward Modeling", 2023, arXiv 2310.01045.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

// What a token of a transcript belongs to.
enum class ToolSegment : int64_t { unlabelled = 0, tool = 1, observation = 2, rationale = 3, other = 4 };

struct ToolLossOptions {
  std::string mode = "segments";  // lm = weighted sum of the segment means; "pooled": mean of labelled tokens
  double ranking_weight = 0.5;    // >= 0
  std::vector<double> segment_weights = {1, 1, 1};  // of tool, observation and rationale, >= 0
};

struct ToolRewardLoss {
  Tensor loss;         // scalar, lm + ranking_weight ranking
  Tensor lm;           // scalar
  Tensor ranking;      // scalar, mean of -log sigma(chosen - rejected)
  Tensor tool;         // scalar, token mean of the segment over the batch; 0 without such tokens
  Tensor observation;  // scalar
  Tensor rationale;    // scalar
};

// `token_nll` [B,T] and `segment` [B,T] (codes of ToolSegment; what an unlabelled token holds is never read)
// for all chosen transcripts, then all rejected ones; their rewards [B/2]. UserErrors: empty, shape, nan,
// value.
ToolRewardLoss tool_rm_loss(const Tensor& token_nll, const Tensor& segment, const Tensor& chosen_rewards,
                            const Tensor& rejected_rewards, const ToolLossOptions& options = {});

}  // namespace plaudit
