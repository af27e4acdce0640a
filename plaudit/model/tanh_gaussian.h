// The tanh-Gaussian policy of continuous control, and its files.
#pragma once

#include <map>
#include <string>

#include "plaudit/core/checks.h"
#include "plaudit/model/mlp.h"

namespace plaudit {

struct ActionLaw {
  Tensor mean;     // [B,A], before tanh
  Tensor log_std;  // [B,A], clamped to [-20, 2]
};

// A policy whose actions are scale * tanh(u), u ~ N(mean, exp(log_std)^2). Samples with their densities:
// tanh_gaussian_sample (objective/sac.h).
class TanhGaussianPolicy {
 public:
  // `network` ends in 2A numbers, means and then log-deviations.
  explicit TanhGaussianPolicy(Mlp network) : network_(std::move(network)) {}

  ActionLaw heads(const Tensor& observations) const;  // of [B,S]
  Tensor act(const Tensor& observations) const;       // [B,A], tanh(mean)

  int64_t observation_size() const { return network_.input_size(); }
  int64_t action_size() const { return network_.output_size() / 2; }
  const Mlp& network() const { return network_; }

 private:
  Mlp network_;
};

// The actor of a Stable-Baselines3 SAC checkpoint as safetensors: "actor.latent_pi.{0,2,..}.{weight,bias}",
// "actor.mu.*", "actor.log_std.*"; its own type, f32. UserErrors: those of load_safetensors; type, with the
// path and the name, for a tensor that is missing; shape, with both widths, where layers do not fit each
// other.
TanhGaussianPolicy load_tanh_gaussian_policy(const std::string& path);
// Writes the same names.
void save_tanh_gaussian_policy(const std::string& path, const TanhGaussianPolicy& policy,
                               const std::map<std::string, std::string>& metadata = {});

}  // namespace plaudit
