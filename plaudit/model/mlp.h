// Multilayer perceptrons, alone or many of one shape at once, and the tanh-Gaussian policy that stands on
// one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plaudit/core/checks.h"
#include "plaudit/core/rng.h"

namespace plaudit {

// y = W_L relu(... relu(W_1 x + b_1)) + b_L.
class Mlp {
 public:
  Mlp() = default;
  // Weights [out,in] and biases [out] of each layer; with a leading dimension N, the same of N members.
  Mlp(std::vector<Tensor> weights, std::vector<Tensor> biases);
  // Layers of `sizes` (input, hidden ..., output), uniform on +-1/sqrt(in) as torch.nn.Linear begins;
  // `members` > 0 makes N of them.
  static Mlp random(const std::vector<int64_t>& sizes, Rng& rng, int64_t members = 0);

  // [B,in] to [B,out]; with members [B,in] (all alike) or [N,B,in] to [N,B,out], in batched products.
  Tensor forward(const Tensor& x) const;

  int64_t input_size() const { return weights_.front().size(-1); }
  int64_t output_size() const { return weights_.back().size(-2); }
  int64_t members() const { return weights_.front().dim() == 3 ? weights_.front().size(0) : 0; }
  // Weights and biases in turn: what an optimizer takes.
  std::vector<Tensor> parameters() const;

 private:
  std::vector<Tensor> weights_, biases_;
};

struct GaussianHeads {
  Tensor mean;     // [B,A], before tanh
  Tensor log_std;  // [B,A], clamped to [-20, 2]
};

// A policy whose actions are scale * tanh(u), u ~ N(mean, exp(log_std)^2). Samples with their densities:
// tanh_gaussian_sample (objective/sac.h).
class TanhGaussianPolicy {
 public:
  // `network` ends in 2A numbers, means and then log-deviations.
  explicit TanhGaussianPolicy(Mlp network) : network_(std::move(network)) {}

  GaussianHeads heads(const Tensor& observations) const;  // of [B,S]
  Tensor act(const Tensor& observations) const;           // [B,A], tanh(mean)

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
