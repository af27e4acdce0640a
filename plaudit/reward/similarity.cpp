#include "plaudit/reward/similarity.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

Tensor lengths(const Tensor& x) {
  return at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, /*keepdim=*/true);
}

// Rows of length 1; a row of zeros is refused.
Tensor unit_vectors(const Check& check, std::string_view name, const Tensor& x) {
  const auto length = lengths(x);
  if (readable(length) && length.eq(0).any().item<bool>())
    check.refuse(ErrorKind::value, name, "holds a vector of length 0");
  return x / length;
}

void check_embeddings(const Check& check, const Tensor& state, const Tensor& goal) {
  check.not_empty("state", state);
  check.not_empty("goal", goal);
  check.dim("state", state, 2);
  check.dim("goal", goal, 2);
  check.same_size("state", state, 1, "goal", goal, 1);
}

}  // namespace

Tensor clip_cosine(const Tensor& state, const Tensor& goal) {
  const Check check("reward.clip_cosine");
  check_embeddings(check, state, goal);
  check.finite("state", state);
  check.finite("goal", goal);
  const auto s = unit_vectors(check, "state", as_real(state));
  const auto g = unit_vectors(check, "goal", as_real(goal).to(s.scalar_type())).mean(0, true);
  return s.matmul(unit_vectors(check, "goal", g).squeeze(0));
}

Tensor goal_baseline(const Tensor& state, const Tensor& goal, const Tensor& baseline, double alpha) {
  const Check check("reward.goal_baseline");
  check.not_empty("baseline", baseline);
  check_embeddings(check, state, goal);
  check.same_shape("goal", goal, "baseline", baseline);
  check.finite("state", state);
  check.finite("goal", goal);
  check.finite("baseline", baseline);
  check.that(alpha >= 0 && alpha <= 1, "alpha", "in [0, 1]", alpha);
  const auto s = unit_vectors(check, "state", as_real(state));
  const auto g = unit_vectors(check, "goal", as_real(goal).to(s.scalar_type())).mean(0);
  const auto d = g - unit_vectors(check, "baseline", as_real(baseline).to(s.scalar_type())).mean(0);
  const auto squared = d.dot(d);
  if (readable(squared) && squared.item<double>() < 1e-24)
    check.refuse(ErrorKind::value, "baseline", "must differ from goal: their distance is below 1e-12");
  const auto offset = s - g;
  const auto along = offset.matmul(d).unsqueeze(1) * d / squared;
  const auto projected = alpha * along + (1 - alpha) * offset;
  return 1 - 0.5 * projected.square().sum(1);
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("clip_cosine(Tensor state, Tensor goal) -> (Tensor rewards)", &clip_cosine,
        "Cosine of image embeddings with the mean of the goal prompts.", {"03"});
  m.def("goal_baseline(Tensor state, Tensor goal, Tensor baseline, float alpha) -> (Tensor rewards)",
        &goal_baseline, "Closeness to a goal sentence, seen along the direction from a baseline sentence.",
        {"03"});
}

}  // namespace plaudit
