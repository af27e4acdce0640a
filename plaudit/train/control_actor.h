// Policies of continuous control: a law over one action, or over a sequence of actions from one observation.
//
// "deterministic": tanh of a network. "gaussian": a normal law about it whose log-deviation, one number an
// action dimension, does not depend on the observation (the two policies of IQL). "mlp": mean and
// log-deviation from the observation; of a sequence every action is drawn anew from the same law. "gru": z_0
// = W2 relu(W1 s), z_j = GRU(previous action, z_{j-1}), heads on z_j; the drawn action is the next previous
// one (Patel and Siegelmann, "Overcoming Slow Decision Frequencies in Continuous Control", ICLR 2025). Both
// of these are normal laws squashed by tanh. Actions lie in (-1, 1), observations and weights are f32. A copy
// shares its weights.
#pragma once

#include <string>
#include <vector>

#include "plaudit/model/mlp.h"
#include "plaudit/model/recurrent.h"

namespace plaudit {

struct ControlActorOptions {
  std::string kind = "mlp";  // or gru, deterministic, gaussian
  int64_t observations = 0, actions = 0;
  std::vector<int64_t> hidden = {256, 256};  // of gru: encoder and state, two equal numbers
  std::string init = "xavier";               // or uniform, small_head (model/mlp.h); not of gru
  double log_std_min = -20;                  // of mlp and gaussian
  double log_std_start = 0;                  // of gaussian
};

struct ActionSequence {
  at::Tensor actions;  // [B,J,A]
  at::Tensor logps;    // [B,J]
};

class ControlActor {
 public:
  ControlActor() = default;
  // UserErrors (value): an unknown kind, sizes below 1, hidden sizes that the kind cannot have.
  ControlActor(const ControlActorOptions& options, Rng rng);

  // J = noise.size(1) actions of each of B observations [B,S], reparameterised; `previous` [B,A] is the last
  // action taken, zeros at the start of an episode.
  ActionSequence sample(const at::Tensor& observations, const at::Tensor& previous,
                        const at::Tensor& noise) const;
  // deterministic, gaussian: tanh of the network [B,A], with gradient.
  at::Tensor mean(const at::Tensor& observations) const;
  // gaussian: log-densities of `actions` [B,A] under the law about `mean`, [B].
  at::Tensor log_density(const at::Tensor& mean, const at::Tensor& actions) const;
  // gaussian: the action about `mean` [B,A] for standard normal `noise` [B,A]. It may lie outside of (-1, 1).
  at::Tensor draw(const at::Tensor& mean, const at::Tensor& noise) const;
  // gaussian: entropy of an action, a number with gradient.
  at::Tensor entropy() const;
  // Observations as the task gives them, as the networks are to see them.
  at::Tensor scaled(const at::Tensor& observations) const;
  // The means of `length` actions, squashed, [B,length,A], without gradient, of observations as the task
  // gives them: they are scaled here. Only a gru has more than one to say; others repeat it.
  at::Tensor act(const at::Tensor& observations, const at::Tensor& previous, int64_t length = 1) const;

  // The learner saw (x - mean)/std; both [S]. Kept with the weights.
  void set_scale(const at::Tensor& mean, const at::Tensor& std);

  const ControlActorOptions& options() const { return options_; }
  // All of it, by layer, for files; what an optimizer changes; the same weights for a target network.
  std::vector<Parameter> parameters() const;
  std::vector<Parameter> trainable() const;
  // Not of gru: other weights of the same values, without gradients; and its step, weights += tau (source -
  // weights).
  ControlActor copy() const;
  void follow(const ControlActor& source, double tau) const;

 private:
  ControlActorOptions options_;
  at::Tensor log_std() const;
  bool squashed_law() const { return options_.kind == "mlp" || options_.kind == "gru"; }

  Mlp encoder_;                        // of mlp: to mean and log-deviation
  Mlp heads_;                          // of gru
  GruWeights gru_;                     // undefined but for gru
  at::Tensor log_std_;                 // of gaussian, [A]
  at::Tensor scale_mean_, scale_std_;  // undefined: observations as they are
};

// actor.json and actor.safetensors in a folder.
void save_actor(const ControlActor& actor, const std::string& folder);
// UserErrors: io, type, shape, with the file.
ControlActor load_actor(const std::string& folder);

}  // namespace plaudit
