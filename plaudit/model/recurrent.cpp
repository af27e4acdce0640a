#include "plaudit/model/recurrent.h"

#include <ATen/ATen.h>

#include "plaudit/core/mixed_types.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"

namespace plaudit {

Tensor gru_cell(const Tensor& prev_action, const Tensor& hidden, const GruWeights& w) {
  const Check check("policy_gradient.gru_cell");
  check_arguments(check, {{"prev_action", prev_action, "BA"},
                          {"hidden", hidden, "BH"},
                          {"w_ih", w.w_ih, "GA"},
                          {"w_hh", w.w_hh, "GH"},
                          {"b_ih", w.b_ih, "G"},
                          {"b_hh", w.b_hh, "G"}});
  if (w.w_ih.size(0) != 3 * hidden.size(1))
    check.refuse(ErrorKind::shape, "w_ih",
                 fmt::format("must have 3 h = {} rows, got {}", 3 * hidden.size(1), shape_of(w.w_ih)));
  const auto type = common_real_type({prev_action, hidden, w.w_ih, w.w_hh, w.b_ih, w.b_hh});
  return at::gru_cell(prev_action.to(type), hidden.to(type), w.w_ih.to(type), w.w_hh.to(type),
                      w.b_ih.to(type), w.b_hh.to(type));
}

Tensor temporal_recall_linear(const Tensor& state, const Tensor& actions, const Tensor& a, const Tensor& b) {
  const Check check("policy_gradient.temporal_recall_linear");
  check_arguments(check,
                  {{"state", state, "BS"}, {"actions", actions, "BJD"}, {"A", a, "SS"}, {"B", b, "SD"}});
  const auto type = common_real_type({state, actions, a, b});
  const auto move = a.detach().to(type).t(), push = b.detach().to(type).t();
  const auto acts = actions.detach().to(type);
  std::vector<Tensor> states = {state.detach().to(type)};
  for (int64_t j = 0; j + 1 < acts.size(1); ++j)
    states.push_back(at::matmul(states.back(), move) + at::matmul(acts.select(1, j), push));
  return at::stack(states, 1);
}

Tensor execute_actions(const Tensor& actions, int64_t length, const std::string& mode) {
  const Check check("policy_gradient.execute_actions");
  check_arguments(check, {{"actions", actions, "BJA"}});
  check.that(length >= 1, "length", ">= 1", length);
  check.choice("mode", mode, {"sequence", "repeat"});
  if (mode == "repeat") return actions.slice(1, 0, 1).expand({-1, length, -1}).contiguous();
  check.that(length <= actions.size(1), "length",
             fmt::format("<= the {} actions of the sequence", actions.size(1)), length);
  return actions.slice(1, 0, length).contiguous();
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "gru_cell(Tensor prev_action, Tensor hidden, Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) -> "
      "(Tensor "
      "hidden)",
      [](const Tensor& prev_action, const Tensor& hidden, const Tensor& w_ih, const Tensor& w_hh,
         const Tensor& b_ih, const Tensor& b_hh) {
        return gru_cell(prev_action, hidden, {w_ih, w_hh, b_ih, b_hh});
      },
      "One step of a gated recurrent unit.", {"46"});
  m.def("temporal_recall_linear(Tensor state, Tensor actions, Tensor A, Tensor B) -> (Tensor states)",
        &temporal_recall_linear, "The states that a linear model foresees for a sequence of actions.",
        {"46"});
  m.def("execute_actions(Tensor actions, int length, str mode='sequence') -> (Tensor executed)",
        &execute_actions, "The actions of the steps until the next decision.", {"46"});
}

}  // namespace plaudit
