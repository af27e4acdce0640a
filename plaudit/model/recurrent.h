// Policies that decide once and act many times: the recurrent cell, recall through a model, execution.
//
// Patel and Siegelmann, "Overcoming Slow Decision Frequencies in Continuous Control", ICLR 2025. UserErrors:
// empty, shape, nan, value.
#pragma once

#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct GruWeights {
  Tensor w_ih;  // [3h,A]: gates in the order reset, update, new
  Tensor w_hh;  // [3h,h]
  Tensor b_ih;  // [3h]
  Tensor b_hh;  // [3h]
};

// h' = (1-z) n + z h with n = tanh(W_in x + b_in + r (W_hn h + b_hn)), as torch.nn.GRUCell; `prev_action`
// [B,A], `hidden` [B,h].
Tensor gru_cell(const Tensor& prev_action, const Tensor& hidden, const GruWeights& weights);

// States s_1 = state, s_{j+1} = A s_j + B a_j before each of J actions, [B,J,S], without gradient; `state`
// [B,S], `actions` [B,J,D], `a` [S,S], `b` [S,D]. The test form of recall through any model.
Tensor temporal_recall_linear(const Tensor& state, const Tensor& actions, const Tensor& a, const Tensor& b);

// The actions of the next `length` >= 1 steps, [B,length,A]: the first of `actions` [B,J,A] ("sequence", J >=
// length), or the first one over and over ("repeat").
Tensor execute_actions(const Tensor& actions, int64_t length, const std::string& mode = "sequence");

}  // namespace plaudit
