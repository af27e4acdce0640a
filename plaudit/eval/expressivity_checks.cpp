#include "plaudit/eval/expressivity_checks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

std::vector<double> checked_values(const Check& check, std::string_view name, const Tensor& values,
                                   at::IntArrayRef sizes) {
  check.not_empty(name, values);
  check.shape(name, values, sizes);
  check.finite(name, values);
  const auto flat = values.to(at::kCPU, at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

int sign(double x, double tol) {
  return (x > tol) - (x < -tol);
}

}  // namespace

bool mixture_consistent(const Tensor& values, double weight, double tol) {
  const Check check("verify.mixture_consistent");
  const auto v = checked_values(check, "values", values, {3});
  check.that(weight > 0 && weight < 1, "weight", "in (0, 1)", weight);
  check.that(tol >= 0, "tol", ">= 0", tol);
  const auto [low, high] = std::minmax(v[0], v[1]);
  if (high - low <= tol) return std::abs(v[2] - low) <= tol || std::abs(v[2] - high) <= tol;
  return v[2] > low + tol && v[2] < high - tol;
}

bool separable_consistent(const Tensor& values, double tol) {
  const Check check("verify.separable_consistent");
  const auto v = checked_values(check, "values", values, {2, 2});
  check.that(tol >= 0, "tol", ">= 0", tol);
  return sign(v[2] - v[0], tol) == sign(v[3] - v[1], tol) && sign(v[1] - v[0], tol) == sign(v[3] - v[2], tol);
}

LevelPair level_pair(const Tensor& rewards, double step) {
  const Check check("verify.level_pair");
  const auto r = checked_values(check, "rewards", rewards, {3});
  check.that(step > 0 && step <= 1.0 / 3, "step", "in (0, 1/3]", step);
  std::vector<double> d = {r[1] - r[2], r[2] - r[0], r[0] - r[1]};
  if (r[0] == r[1] && r[1] == r[2]) d = {1, -1, 0};
  const auto direction = at::tensor(d, at::kDouble);
  const auto uniform = at::full({3}, 1.0 / 3, at::kDouble);
  return {uniform, uniform + step * direction / direction.abs().max()};
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("mixture_consistent(Tensor values, float weight, float tol=1e-09) -> (bool consistent)",
        &mixture_consistent, "Whether three values can belong to an objective linear in lotteries.", {"23"});
  m.def("separable_consistent(Tensor values, float tol=1e-09) -> (bool consistent)", &separable_consistent,
        "Whether a 2x2 table of values can be a sum of a row and a column part.", {"23"});
  m.def("level_pair(Tensor rewards, float step=0.1) -> (Tensor policy_a, Tensor policy_b)",
        [](const Tensor& rewards, double step) { return as_tuple(level_pair(rewards, step)); },
        "Two bandit policies of equal expected reward.", {"23"});
}

}  // namespace plaudit
