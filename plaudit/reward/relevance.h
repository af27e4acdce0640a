// Rewards without preference data: relevance to the query or to a reference answer, with three cheap rules.
//
// Kim et al., "Preference-free Alignment Learning with Regularized Relevance Reward", 2024, arXiv 2402.03469.
// UserErrors: empty, shape, nan, value.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

// Dot products of the rows of two embeddings [B,D], or, with `normalize`, their cosines (0 for a row of
// zeros); [B].
Tensor relevance(const Tensor& query, const Tensor& response, bool normalize = false);

// A linear map from one range onto another, src_high > src_low.
struct RangeMap {
  double src_low;
  double src_high;
  double dst_low;
  double dst_high;
};

// `x` [B] mapped from the source range to the target range; `clamp` holds it inside the target range.
Tensor interpolate(const Tensor& x, const RangeMap& map, bool clamp = true);

// What is known of each response, all [B].
struct ResponseTerms {
  Tensor relevance_query;
  Tensor relevance_reference;
  Tensor length;      // the length incentive
  Tensor repetition;  // the repetition penalty, in [0, 1]
  Tensor open_ended;  // nonzero for an open-ended query
};

// r_x * length * repetition where the query is open-ended, F(r_y) * repetition elsewhere, F the clamped map;
// [B]. `terms` lists the parts in use: leaving out "length" or "repetition" drops that factor, leaving out
// "type" treats every query as open-ended.
Tensor r3_reward(const ResponseTerms& response, const RangeMap& map,
                 const std::vector<std::string>& terms = {"length", "repetition", "type"});

}  // namespace plaudit
