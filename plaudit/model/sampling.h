// From logits to the next token: temperature, top-k, top-p (Holtzman et al. 2020, arXiv 1904.09751), min-p
// (Nguyen et al. 2024, arXiv 2407.01082), applied in this order.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "plaudit/core/rng.h"

namespace plaudit {

struct SamplingFilter {
  double temperature = 1;
  int64_t top_k = 0;  // keep the k largest; 0: all
  double top_p = 1;   // keep the fewest largest whose probability reaches this; the crossing token stays
  double min_p = 0;   // keep those with at least this share of the largest probability
};

// The distribution that is drawn from, [..., V]. Equal logits: the lower id is the larger, so exactly k stay.
// logits may hold -inf. UserErrors: kinds empty, shape, nan, value (temperature <= 0 too).
at::Tensor sampling_probs(const at::Tensor& logits, const SamplingFilter& filter);

// UserError (value) naming `where` and the field that is out of range; temperature 0 is greedy.
void check_filter(const SamplingFilter& filter, std::string_view where);

struct Draw {
  int64_t id = 0;
  float logp = 0;  // at temperature 1, before any filter
};

// The log-probability of one token, logits [n], at temperature 1.
float token_logp(const float* logits, int64_t n, int64_t id);

// Draws tokens from sampling_probs without sorting the vocabulary. Keeps scratch: one per thread.
class TokenSampler {
 public:
  // logits [n]. Greedy at temperature 0: the largest, the lower id first. UserError (nan) for logits that
  // hold NaN, or nothing finite.
  Draw draw(const float* logits, int64_t n, const SamplingFilter& filter, Rng& rng);

 private:
  struct Candidate {
    float logit, weight;
    int64_t id;
  };
  int64_t draw_unfiltered(const float* logits, int64_t n, float largest, float scale, double u);
  int64_t draw_filtered(const float* logits, int64_t n, float largest, const SamplingFilter& filter,
                        double u);
  double gather(const float* logits, int64_t n, float largest, double scale, double depth);
  void find_candidates(const float* logits, int64_t n, float largest, const SamplingFilter& filter,
                       double& total);

  std::vector<float> weights_;
  std::vector<double> sums_;
  std::vector<Candidate> candidates_;
};

}  // namespace plaudit
