#include "plaudit/reward/goal_state.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_rows(const Check& check, const Tensor& mask) {
  if (!readable(mask) || mask.dim() != 2) return;
  const auto bare = valid(mask).any(1).logical_not();
  if (bare.any().item<bool>())
    check.refuse(ErrorKind::empty, "mask",
                 fmt::format("has no valid token in row {}", bare.to(at::kInt).argmax().item<int64_t>()));
}

void check_states(const Check& check, const Tensor& hidden, const Tensor& mask) {
  check.dim("hidden", hidden, 3);
  check.dim("mask", mask, 2);
  check.same_size("hidden", hidden, 0, "mask", mask, 0);
  check.same_size("hidden", hidden, 1, "mask", mask, 1);
}

void check_goal(const Check& check, const Tensor& hidden, const Tensor& goal) {
  check.dim("goal", goal, 1);
  check.same_size("hidden", hidden, 2, "goal", goal, 0);
}

Tensor unit(const Tensor& x) {
  return x / x.norm(2, {-1}, true).clamp_min(1e-8);
}

// Cosines of the vectors along the last dimension of `x` with the goal.
Tensor cosine(const Tensor& x, const Tensor& goal) {
  return unit(x).matmul(unit(as_real(goal).to(x.scalar_type())));
}

}  // namespace

Tensor goal_state(const Tensor& hidden, const Tensor& mask) {
  const Check check("contrastive.goal_state");
  check.not_empty("hidden", hidden);
  check.not_empty("mask", mask);
  check_rows(check, mask);
  check_states(check, hidden, mask);
  check.finite_where("hidden", hidden, mask.unsqueeze(-1));
  const auto position = at::arange(mask.size(1), mask.options().dtype(at::kLong));
  const auto last = at::where(valid(mask), position, 0).amax(1).view({-1, 1, 1});
  return as_real(hidden).gather(1, last.expand({-1, 1, hidden.size(2)})).squeeze(1).mean(0);
}

Tensor goal_similarity(const Tensor& hidden, const Tensor& goal, const Tensor& mask) {
  const Check check("decode.goal_similarity");
  check.not_empty("hidden", hidden);
  check.not_empty("goal", goal);
  check.not_empty("mask", mask);
  check_states(check, hidden, mask);
  check_goal(check, hidden, goal);
  check.finite_where("hidden", hidden, mask.unsqueeze(-1));
  check.finite("goal", goal);
  return cosine(keep_valid(as_real(hidden), mask.unsqueeze(-1)), goal);
}

GoalBeamScore goal_beam_score(const Tensor& score, const Tensor& hidden, const Tensor& mask,
                              const Tensor& goal) {
  const Check check("decode.goal_beam_score");
  check.not_empty("score", score);
  check.not_empty("hidden", hidden);
  check.not_empty("mask", mask);
  check.not_empty("goal", goal);
  check_rows(check, mask);
  check_states(check, hidden, mask);
  check.dim("score", score, 1);
  check.same_size("hidden", hidden, 0, "score", score, 0);
  check_goal(check, hidden, goal);
  check.no_nan("score", score);
  check.finite_where("hidden", hidden, mask.unsqueeze(-1));
  check.finite("goal", goal);
  const auto similarity = cosine(masked_mean(as_real(hidden), mask.unsqueeze(-1), 1), goal);
  return {as_real(score) + similarity, similarity};
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def("goal_state(Tensor hidden, Tensor mask) -> (Tensor goal)", &goal_state,
        "Mean last hidden state of preferred answers.", {"14"});
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("goal_similarity(Tensor hidden, Tensor goal, Tensor mask) -> (Tensor similarity)", &goal_similarity,
        "Cosine of every token's hidden state with a goal.", {"14"});
  m.def(
      "goal_beam_score(Tensor score, Tensor hidden, Tensor mask, Tensor goal) -> (Tensor score, Tensor "
      "similarity)",
      [](const Tensor& score, const Tensor& hidden, const Tensor& mask, const Tensor& goal) {
        return as_tuple(goal_beam_score(score, hidden, mask, goal));
      },
      "Beam scores steered towards a goal state.", {"14"});
}

}  // namespace plaudit
