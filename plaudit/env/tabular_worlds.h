// Small worlds as tables: grids and random sparse MDPs.
#pragma once

#include <optional>

#include "plaudit/core/rng.h"
#include "plaudit/env/tabular.h"

namespace plaudit {

struct GridworldOptions {
  double slip = 0;   // in [0,1]
  bool stay = true;  // a fifth action that stays
};

// transition [S,A,S] of a rows x cols grid, state = row cols + col; actions right, down, left, up(, stay). A
// move off the grid stays; the intended cell gets 1 - slip, every other state slip/(S-1).
Tensor gridworld(int64_t rows, int64_t cols, const GridworldOptions& options = {});

// softmax over the last axis of (noise where noise > threshold, else -20); `noise` [S,A,S]. Without a
// threshold: 1 below 50 states, 1.5 below 100, else 1.8. Random environments of Skalse et al., 2024, arXiv
// 2309.15257.
Tensor sparse_transition(const Tensor& noise, std::optional<double> threshold = std::nullopt);

// sparse_transition of normal noise, [S,A,S]; both sizes >= 1.
Tensor random_transition(int64_t states, int64_t actions, Rng& rng,
                         std::optional<double> threshold = std::nullopt);

}  // namespace plaudit
