// Intrinsic rewards from captions that an annotator labels while the policy trains, and running moments.
//
// Source: Zheng et al., "Online Intrinsic Rewards" (ONI), 2024, arXiv 2410.23022. Errors: empty, shape, nan,
// value as stated.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

struct Lookup {
  Tensor rewards;                   // [B] f64
  std::vector<std::string> unseen;  // captions without an annotation, each once, in order of appearance
};
// Annotated rewards of captions; `fallback` where there is none.
Lookup retrieval_lookup(const std::vector<std::string>& messages, const std::map<std::string, double>& table,
                        double fallback = 0);

struct ThresholdedClass {
  Tensor rewards;      // [B] 1 where probability > threshold
  Tensor probability;  // [B] softmax of the second logit
};
// logits [B,2], threshold in [0,1].
ThresholdedClass classify_threshold(const Tensor& logits, double threshold = 0.5);

struct Moments {
  double mean = 0;
  double var = 1;
  double count = 1e-4;
};
// The moments after one more batch [N], by the parallel formula: with d the difference of the means, M2 = var
// count
// + var_b N + d^2 count N/(count + N), var = M2/(count + N). The batch variance is unbiased by default, which
// needs N >= 2.
Moments update_moments(const Moments& moments, const Tensor& batch, bool unbiased_batch_variance = true);

// z = (r - mean)/sqrt(var) where z > threshold, else 0; var > 0.
Tensor normalize_threshold(const Tensor& rewards, double mean, double var, double threshold);

struct CountScale {
  double extrinsic_coeff = 1;
  double intrinsic_coeff = 1;
  double count_exponent = 3;
};
// a_e r_e + a_i r_i / N^beta, where N >= 1 is how often the caption occurred in the episode.
Tensor count_scaled_sum(const Tensor& extrinsic, const Tensor& intrinsic, const Tensor& count,
                        const CountScale& scale = {});

}  // namespace plaudit
