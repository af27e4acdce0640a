// Inverse soft-Q learning of language models: logits as soft Q-values, and the rewards that they imply.
//
// Wulfmeier et al., "Imitating Language via Scalable Inverse RL", 2024, arXiv 2409.01369. With q_t the logit
// of the action, v_t the logsumexp of the logits and v = 0 after a terminal token, the reward is r_t = q_t -
// gamma v_{t+1}. A position has a TD term when it is valid and its next value is known: a next valid token,
// or the end of a terminal row. `logits` [B,T,V], `actions`, `mask` [B,T] (a left-aligned run of valid
// tokens), `terminal` [B]; what lies under the mask is never read. UserErrors: empty, shape, nan, and value
// for an action outside [0,V) or an option out of range.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct TokenChoices {
  Tensor logits;    // [B,T,V]
  Tensor actions;   // [B,T] integers
  Tensor mask;      // [B,T]
  Tensor terminal;  // [B], nonzero where the last valid token ends the episode
};

struct IqRewards {
  Tensor rewards;  // [B,T], 0 where td_mask is
  Tensor td_mask;  // [B,T] bool
  Tensor q;        // [B,T], 0 under the mask
  Tensor v;        // [B,T], 0 under the mask
};

// gamma in (0,1].
IqRewards iq_rewards(const TokenChoices& choices, double gamma = 1);

struct IqOptions {
  double lam = 0.1;  // weight of the squared rewards, >= 0; 0 is maximum likelihood
  double gamma = 1;
};

struct IqLoss {
  Tensor loss;  // scalar, nll + lam td
  Tensor nll;   // mean over valid tokens of -log pi
  Tensor td;    // sum of rewards^2 over the number of valid tokens
};
IqLoss iq_td_mle_loss(const TokenChoices& choices, const IqOptions& options = {});

struct ModelSamples {
  Tensor logits;    // [B',T',V]
  Tensor mask;      // [B',T']
  Tensor terminal;  // [B']
};

struct IqOnlineOptions {
  double lam = 0.1;
  double gamma = 1;
  double mix = 0.1;  // share of the model's samples in the value term, in [0,1]
};

struct IqOnlineLoss {
  Tensor loss;          // scalar, reward_term + lam td + (1-mix) expert_value + mix sample_value
  Tensor reward_term;   // -mean r over positions with a TD term, as all below
  Tensor td;            // mean r^2
  Tensor expert_value;  // mean of v - gamma v'
  Tensor sample_value;  // the same over the model's samples
};
IqOnlineLoss iq_online_loss(const TokenChoices& expert, const ModelSamples& samples,
                            const IqOnlineOptions& options = {});

}  // namespace plaudit
