// Two-player zero-sum Markov games as tables: transition [S,A,B,S], reward [S,A,B] to the protagonist.
//
// Values count r + alpha_p H(protagonist) - alpha_a H(adversary) at every step. Reddi et al., 2024, arXiv
// 2311.01642; quantal_response.h solves one state. UserErrors as in tabular.h.
#pragma once

#include "plaudit/env/tabular.h"

namespace plaudit {

struct SoftGame {
  Tensor values;       // [S]
  Tensor protagonist;  // [S,A]
  Tensor adversary;    // [S,B]
};

// The equilibrium under positive temperatures, to 1e-10.
SoftGame soft_markov_game(const Tensor& transition, const Tensor& reward, double gamma,
                          double temperature_protagonist, double temperature_adversary);

struct GameTemperatures {
  double protagonist = 0;  // >= 0
  double adversary = 0;    // >= 0
};

struct GameValues {
  Tensor values;  // [S]
  Tensor q;       // [S,A,B], reward + gamma E[values]
};

// Exact values of two given policies, by one linear solve.
GameValues markov_game_evaluation(const Tensor& transition, const Tensor& reward, const Tensor& protagonist,
                                  const Tensor& adversary, double gamma,
                                  const GameTemperatures& temperatures = {});

// The values [S] of the protagonist against the exact best response of the adversary.
Tensor robust_value(const Tensor& transition, const Tensor& reward, const Tensor& protagonist, double gamma);

}  // namespace plaudit
