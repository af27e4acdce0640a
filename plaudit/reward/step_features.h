// A reward per step of a task from the few pretrained features that mark it.
//
// Sermanet, Xu, Levine, 2016, arXiv 1612.06699, section 2.3. UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct SelectedFeatures {
  Tensor indices;  // [count] i64, by descending score, ties to the lower index
  Tensor scores;   // [D], alpha |mu+ - mu-| - (sigma+ + sigma-), population statistics
  Tensor mean;     // [count], over the positive frames
  Tensor std;      // [count], over the positive frames
};

// The columns of `features` [N,D] that best tell the frames of a step (`positive` [N] nonzero) from all
// others; 1 <= count <= D.
SelectedFeatures select_features(const Tensor& features, const Tensor& positive, double alpha = 5,
                                 int64_t count = 32);

struct StepRewardOptions {
  std::string denominator = "variance";  // "variance" or "std" (the scaling that the paper prints)
  double std_floor = 0.01;               // the least deviation, >= 0
};

// -mean_j (x_j - mean_j)^2 / max(std_j, floor)^2 over the M selected features, [B]: at most 0. `features`
// [B,M], `mean` and `std` [M].
Tensor step_reward(const Tensor& features, const Tensor& mean, const Tensor& std,
                   const StepRewardOptions& options = {});

struct CombinedSteps {
  Tensor activation;  // [B,n], each step reward mapped from [low, high] to [0, 1]
  Tensor rewards;     // [B], their weighted sum
};

// `step_rewards` [B,n], `low` < `high` [n]; `weights` [n], default 0, 2, 4, ..., 2^(n-1): later steps count
// more, the start not at all.
CombinedSteps combine_steps(const Tensor& step_rewards, const Tensor& low, const Tensor& high,
                            const std::optional<Tensor>& weights = std::nullopt);

}  // namespace plaudit
