// Direct Nash optimisation: regression of the log-ratio margin onto win rates.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Answers a and b under the policy and under the newest earlier policy, and their win rates; all [B].
struct DnoPair {
  Tensor logps_a, logps_b;
  Tensor ref_logps_a, ref_logps_b;
  Tensor rewards_a, rewards_b;
};

struct DnoResult {
  Tensor loss;     // scalar, mean of losses
  Tensor losses;   // [B]
  Tensor targets;  // [B], q, detached
};

// -q log sigma(h) - (1-q) log sigma(-h) with h = eta [log-ratio(a) - log-ratio(b)] and q = sigma(reward_a -
// reward_b), eta > 0; at the optimum h = reward_a - reward_b. Rosset et al., "Direct Nash Optimization",
// 2024, arXiv 2404.03715, algorithm 1. UserErrors: empty, shape, nan, value.
DnoResult dno_loss(const DnoPair& pair, double eta = 0.1);

}  // namespace plaudit
