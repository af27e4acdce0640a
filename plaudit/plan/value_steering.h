// Value-augmented sampling of a language model: at each token the k likeliest candidates get
//   logit += sum_r beta_r (v_r(candidate) - mean over the candidates of v_r),
// v being standardised values (reward/value_model.h), so that beta is in units of one standard deviation of
// the reward. beta may be negative, which unlearns. Han et al., 2024, arXiv 2405.06639, eq. 4-6; the readable
// twin is decode.value_augmented_logits.
#pragma once

#include <memory>
#include <vector>

#include "plaudit/model/steering.h"
#include "plaudit/reward/value_model.h"

namespace plaudit {

class ValueSteering : public Steering {
 public:
  // `beta`: one per objective of the values. UserErrors (value): values of another model than `policy`, as
  // many betas as there are no objectives, one that is not finite, candidates < 1 or above the vocabulary.
  ValueSteering(const ValueModel& values, const LanguageModel& policy, std::vector<double> beta,
                int64_t candidates = 15);
  void steer(const float* hidden, int64_t width, float* logits, int64_t vocab) const override;

 private:
  std::vector<float> beta_;
  int64_t candidates_, width_;
  at::Tensor tokens_;       // [V,width] f32
  at::Tensor state_, out_;  // [width,H], [R,width] f32
};

}  // namespace plaudit
