// Stochastic policies of continuous control: a squashed normal law over one action, or over a sequence of
// actions from one observation.
//
// "mlp": mean and log-deviation from the observation; of a sequence every action is drawn anew from the same
// law. "gru": z_0 = W2 relu(W1 s), z_j = GRU(previous action, z_{j-1}), heads on z_j; the drawn action is the
// next previous one (Patel and Siegelmann, "Overcoming Slow Decision Frequencies in Continuous Control", ICLR
// 2025). Actions lie in (-1, 1), observations and weights are f32. A copy shares its weights.
#pragma once

#include <string>
#include <vector>

#include "plaudit/model/mlp.h"
#include "plaudit/model/recurrent.h"

namespace plaudit {

struct ControlActorOptions {
  std::string kind = "mlp";  // or gru
  int64_t observations = 0, actions = 0;
  std::vector<int64_t> hidden = {256, 256};  // of gru: encoder and state, two equal numbers
  std::string init = "xavier";               // or uniform (model/mlp.h); of mlp
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
  // The means of `length` actions, squashed, [B,length,A], without gradient. What an mlp says is repeated.
  at::Tensor act(const at::Tensor& observations, const at::Tensor& previous, int64_t length = 1) const;

  const ControlActorOptions& options() const { return options_; }
  std::vector<Parameter> parameters() const;

 private:
  ControlActorOptions options_;
  Mlp encoder_;     // of mlp: to mean and log-deviation
  Mlp heads_;       // of gru
  GruWeights gru_;  // undefined for mlp
};

// actor.json and actor.safetensors in a folder.
void save_actor(const ControlActor& actor, const std::string& folder);
// UserErrors: io, type, shape, with the file.
ControlActor load_actor(const std::string& folder);

}  // namespace plaudit
