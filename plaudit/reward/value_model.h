// A value of every token that a policy could say next, at the price of one forward pass of the policy.
//
// V(s + a), the reward to expect once token a follows state s, is read from what the policy has computed
// anyway: h(s), its final hidden state, and e(a), its embedding of a,
//   V(s + a) = mean + std (out . relu(U h/rms(h) + T e(a)/rms(e(a)) + b) + c),
// one row of `out` per objective. T e(a) is one table for the whole vocabulary, so that the values of k
// candidates cost k additions of `width` numbers. Han et al., "Value Augmented Sampling", 2024, arXiv
// 2405.06639, use a second language model instead; so do policies behind an API, whose states nobody sees.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "plaudit/model/transformer.h"

namespace plaudit {

class ValueModel {
 public:
  ValueModel() = default;
  // `out` starts at zero: every value is the mean. `width` >= 1.
  ValueModel(const LanguageModel& policy, std::vector<std::string> objectives, int64_t width, uint64_t seed);

  // A folder that save() wrote (value.json, value.safetensors). UserErrors: io, type.
  static ValueModel load(const std::string& folder);
  void save(const std::string& folder) const;
  // UserError (value) when the values were learnt on another model than `policy`, whatever its adapter.
  void check_policy(const LanguageModel& policy) const;

  const std::vector<std::string>& objectives() const { return objectives_; }
  int64_t width() const { return token_.size(0); }
  std::vector<Parameter> parameters() const;

  // U h/rms(h): hidden [N,H] -> [N,width]; T e/rms(e) + b: embeddings [N,H] -> [N,width]; differentiable.
  at::Tensor of_states(const at::Tensor& hidden) const;
  at::Tensor of_tokens(const at::Tensor& embeddings) const;
  // Standardised values [N,objectives] of a sum of the two.
  at::Tensor standard_values(const at::Tensor& sums) const;

  // The scale of rewards, [objectives] each: values are (reward - mean)/std inside.
  void set_scale(std::vector<double> mean, std::vector<double> std);
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& std() const { return std_; }

  // Where values were learnt: "all" tokens, or the end of the "prompt" alone.
  void set_positions(std::string positions) { positions_ = std::move(positions); }
  const std::string& positions() const { return positions_; }

 private:
  std::vector<std::string> objectives_;
  at::Tensor state_, token_, bias_, out_, out_bias_;  // [W,H], [W,H], [W], [R,W], [R]
  std::vector<double> mean_, std_;
  std::string policy_, source_;  // fingerprint and name of the policy
  std::string positions_ = "all";
};

}  // namespace plaudit
