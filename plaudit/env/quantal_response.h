// The quantal response equilibrium of a zero-sum matrix game: Nash, softened by two temperatures.
//
// x = softmax(M y/alpha_row), y = softmax(-M^T x/alpha_column) for a payoff M [A,B] to the row player; unique
// for positive temperatures, Nash as they go to 0. Reddi et al., "Robust Adversarial RL via Bounded
// Rationality Curricula", 2024, arXiv 2311.01642.
#pragma once

#include <string_view>
#include <vector>

#include "plaudit/core/checks.h"
#include "plaudit/env/tabular.h"

namespace plaudit {

struct QuantalResponse {
  Tensor row;                // [A]
  Tensor column;             // [B]
  Tensor value;              // scalar, x^T M y
  Tensor regularised_value;  // scalar, value + alpha_row H(x) - alpha_column H(y)
};

// UserErrors: shape, nan, value (a temperature <= 0), empty.
QuantalResponse quantal_response(const Tensor& payoff, double temperature_row, double temperature_column);

struct GameSolution {
  std::vector<double> row, column;
  double value, regularised_value;
};

// The same for a row-major payoff; `logits` (of the column player) is where Newton's method starts, and the
// solution comes back in it. Empty: start from scratch, lowering the temperatures step by step. A UserError
// (value) that names `argument` of the function when the payoffs are too many orders of magnitude above a
// temperature (about 1e13).
GameSolution solve_game(const Check& check, std::string_view argument, const double* payoff, int64_t rows,
                        int64_t columns, double temperature_row, double temperature_column,
                        std::vector<double>& logits);

}  // namespace plaudit
