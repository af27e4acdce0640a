// Soft actor-critic, one decision at a time or a sequence of them.
//
// Haarnoja et al., "Soft Actor-Critic Algorithms and Applications", 2018, arXiv 1812.05905; sequences: Patel
// and Siegelmann, "Overcoming Slow Decision Frequencies in Continuous Control", ICLR 2025. B states, N
// critics, J actions of a sequence, A dimensions. The temperature `alpha` is a scalar or one value per state.
// UserErrors: empty, shape, nan, and value for an option out of range.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct TanhGaussianSample {
  Tensor action;  // [B,A] in (-scale, scale)
  Tensor logp;    // [B], of the squashed density
};

// u = mean + exp(log_std) noise, action = scale tanh(u), all [B,A]; log_std is clamped to [-20, 2]. The
// correction for tanh is 2 (log 2 - u - softplus(-2u)), exact for any u.
TanhGaussianSample tanh_gaussian_sample(const Tensor& mean, const Tensor& log_std, const Tensor& noise,
                                        double scale = 1);

// mean(alpha log pi - min_j Q_j); `logps` [B], `q` [N,B].
Tensor sac_actor_loss(const Tensor& logps, const Tensor& q, const Tensor& alpha);

struct TemperatureLoss {
  Tensor loss;   // scalar
  Tensor alpha;  // exp(log_alpha), detached
};

// -mean(log_alpha (log pi + target_entropy)), log pi detached; the target is usually -A.
TemperatureLoss sac_temperature_loss(const Tensor& log_alpha, const Tensor& logps, double target_entropy);

// r + gamma (1 - terminal) (min_j Q'_j(s',a') - alpha log pi(a'|s')) [B], detached; `next_q` [N,B].
Tensor soft_q_target(const Tensor& rewards, const Tensor& terminals, const Tensor& next_q,
                     const Tensor& next_logps, const Tensor& alpha, double gamma = 0.99);

struct SequenceActorLoss {
  Tensor loss;      // scalar, the sum of per_step
  Tensor per_step;  // [J], the actor loss of each action
};

// sac_actor_loss of every action of a sequence; `logps` [B,J], `q` [N,B,J].
SequenceActorLoss sequence_actor_loss(const Tensor& logps, const Tensor& q, const Tensor& alpha);

// sac_temperature_loss on log-probabilities [B,J] averaged over the sequence.
Tensor sequence_temperature_loss(const Tensor& log_alpha, const Tensor& logps, double target_entropy);

}  // namespace plaudit
