#include "plaudit/env/expressivity.h"

#include <ATen/ATen.h>

#include <array>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

constexpr std::array<const char*, 17> kNames = {"MR",  "LAR",    "LTL",  "RM",    "INMR", "IMORL",
                                                "FTR", "RRL",    "ONMR", "OMORL", "FOMR", "FTLR",
                                                "FPR", "GOMORL", "OMO",  "TLO",   "PO"};
// The equivalence class of each formalism, by its first member.
constexpr std::array<int, 17> kClass = {0, 1, 2, 3, 4, 4, 4, 7, 8, 9, 9, 9, 12, 13, 13, 13, 16};
// Upper covers lower, between classes.
constexpr int kCovers[13][2] = {{3, 0}, {7, 0}, {8, 0},  {4, 3},  {4, 2},   {4, 1},  {9, 4},
                                {9, 7}, {9, 8}, {12, 9}, {13, 9}, {16, 12}, {16, 13}};

Tensor transitive_closure(const Tensor& relation) {
  auto closed = relation.logical_or(at::eye(relation.size(0), at::kBool));
  for (int64_t reach = 1; reach < relation.size(0); reach *= 2) {
    const auto x = closed.to(at::kDouble);
    closed = x.matmul(x) > 0;
  }
  return closed;
}

// The relation as booleans, refused unless it is a preorder.
Tensor checked_preorder(const Check& check, const Tensor& at_least) {
  check_arguments(check, {{"at_least", at_least, "NN"}});
  const auto relation = on_cpu_f64(at_least) != 0;
  if (!relation.diagonal().all().item<bool>())
    check.refuse(ErrorKind::value, "at_least", "must be reflexive: every member is at least itself");
  if (!transitive_closure(relation).equal(relation))
    check.refuse(ErrorKind::value, "at_least", "must be transitive");
  return relation;
}

// The first member that is at least and at most each one.
Tensor classes_of(const Tensor& relation) {
  const auto first = relation.logical_and(relation.t()).to(at::kInt).argmax(1);
  // First members in ascending order appear in that order.
  return std::get<1>(at::_unique2(first, /*sorted=*/true, /*return_inverse=*/true));
}

int sign_of(double x, double tol) {
  return x > tol ? 1 : x < -tol ? -1 : 0;
}

}  // namespace

ExpressivityTable expressivity_table() {
  auto above = at::zeros({17, 17}, at::kBool);
  for (int i = 0; i < 17; ++i) {
    for (int j = 0; j < 17; ++j) {
      bool covers = kClass[static_cast<size_t>(i)] == kClass[static_cast<size_t>(j)];
      for (const auto& [upper, lower] : kCovers)
        covers =
            covers || (kClass[static_cast<size_t>(i)] == upper && kClass[static_cast<size_t>(j)] == lower);
      above[i][j] = covers;
    }
  }
  return {{kNames.begin(), kNames.end()}, transitive_closure(above).to(at::kLong)};
}

Tensor preorder_classes(const Tensor& at_least) {
  const Check check("tabular.preorder_classes");
  return classes_of(checked_preorder(check, at_least));
}

Tensor transitive_reduction(const Tensor& at_least) {
  const Check check("tabular.transitive_reduction");
  const auto relation = checked_preorder(check, at_least);
  const auto classes = classes_of(relation);
  const int64_t count = classes.max().item<int64_t>() + 1;
  // One member stands for each class: its first.
  const auto first =
      classes.unsqueeze(0).eq(at::arange(count, at::kLong).unsqueeze(1)).to(at::kInt).argmax(1);
  const auto above = relation.index_select(0, first).index_select(1, first).logical_and(
      at::eye(count, at::kBool).logical_not());
  const auto x = above.to(at::kDouble);
  const auto between = x.matmul(x) > 0;
  return above.logical_and(between.logical_not()).to(at::kLong);
}

Tensor two_state_regularised_matrix(const Tensor& p, const Tensor& q, double gamma) {
  const Check check("tabular.two_state_regularised_matrix");
  check_tables(check, {{"p", p, "N"}, {"q", q, "M"}});
  check.range("p", p, 0, 1);
  check.range("q", q, 0, 1);
  check_table_discount(check, gamma);
  const int64_t n = p.size(0), m = q.size(0);
  const auto pi = on_cpu_f64(p).view({n, 1}), qj = on_cpu_f64(q).view({1, m});
  const auto scale = (1 - gamma) * (1 - gamma + gamma * (pi + qj));
  const auto first = ((1 - gamma + gamma * qj) / scale).view({n, m, 1});  // visits of s0
  const auto second = (gamma * pi / scale).view({n, m, 1});               // visits of s1
  const auto left = first * at::eye(n, at::kDouble).view({n, 1, n});
  const auto right = second * at::eye(m, at::kDouble).view({1, m, m});
  return at::cat({left, right}, 2).view({n * m, n + m});
}

bool mixture_consistent(const Tensor& values, double weight, double tol) {
  const Check check("verify.mixture_consistent");
  check_arguments(check, {{"values", values, "V"}});
  check.shape("values", values, {3});
  check.that(weight > 0 && weight < 1, "weight", "in (0, 1)", weight);
  check.that(tol >= 0, "tol", ">= 0", tol);
  const auto v = on_cpu_f64(values);
  const double a = numbers_of(v)[0], b = numbers_of(v)[1], mixed = numbers_of(v)[2];
  return sign_of(mixed - a, tol) == sign_of(b - a, tol) && sign_of(b - mixed, tol) == sign_of(b - a, tol);
}

bool separable_consistent(const Tensor& values, double tol) {
  const Check check("verify.separable_consistent");
  check.not_empty("values", values);
  check.shape("values", values, {2, 2});
  check.finite("values", values);
  check.that(tol >= 0, "tol", ">= 0", tol);
  const auto v = on_cpu_f64(values);
  const double* x = numbers_of(v);  // v00 v01 v10 v11
  return sign_of(x[2] - x[0], tol) == sign_of(x[3] - x[1], tol) &&
         sign_of(x[1] - x[0], tol) == sign_of(x[3] - x[2], tol);
}

LevelPair level_pair(const Tensor& rewards, double step) {
  const Check check("verify.level_pair");
  check.not_empty("rewards", rewards);
  check.shape("rewards", rewards, {3});
  check.finite("rewards", rewards);
  check.that(step > 0 && step <= 1.0 / 3, "step", "in (0, 1/3]", step);
  const auto r = on_cpu_f64(rewards);
  auto d = at::roll(r, -1, 0) - at::roll(r, -2, 0);
  if (d.abs().max().item<double>() <= 1e-12) d = at::tensor({1.0, -1.0, 0.0}, at::kDouble);
  const auto uniform = at::full({3}, 1.0 / 3, at::kDouble);
  return {uniform, uniform + step * d / d.abs().max()};
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def("expressivity_table() -> (str[] names, Tensor at_least)",
        [] {
          auto t = expressivity_table();
          return std::make_tuple(std::move(t.names), std::move(t.at_least));
        },
        "Which of 17 objective formalisms is at least as expressive as which.", {"23"});
  m.def("preorder_classes(Tensor at_least) -> (Tensor classes)", &preorder_classes,
        "The equivalence classes of a preorder.", {"23"});
  m.def("transitive_reduction(Tensor at_least) -> (Tensor covers)", &transitive_reduction,
        "The covering pairs of a preorder's classes.", {"23"});
  m.def("two_state_regularised_matrix(Tensor p, Tensor q, float gamma) -> (Tensor matrix)",
        &two_state_regularised_matrix, "Regularised returns of the two-state world, linear in the charges.",
        {"23"});
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("mixture_consistent(Tensor values, float weight, float tol=1e-9) -> (bool consistent)",
        &mixture_consistent, "Whether a mixture of two lotteries is valued between them.", {"23"});
  m.def("separable_consistent(Tensor values, float tol=1e-9) -> (bool consistent)", &separable_consistent,
        "Whether preferences in one choice do not depend on another.", {"23"});
  m.def("level_pair(Tensor rewards, float step=0.1) -> (Tensor policy_a, Tensor policy_b)",
        [](const Tensor& rewards, double step) { return as_tuple(level_pair(rewards, step)); },
        "Two policies of equal expected reward, one of them uniform.", {"23"});
}

}  // namespace plaudit
