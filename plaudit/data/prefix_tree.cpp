#include "plaudit/data/prefix_tree.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

Tensor scaled_floor(const Tensor& u, int64_t n) {
  return (u * n).floor().to(at::kLong).clamp_max(n - 1);
}

}  // namespace

TreePairs tree_pairs(const Tensor& uniform, int64_t branching, int64_t depth) {
  const Check check("preference.tree_pairs");
  check.not_empty("uniform", uniform);
  check.shape("uniform", uniform, {-1, 2});
  check.finite("uniform", uniform);
  const auto u = as_real(uniform);
  if (readable(u)) {
    for (const double bound : {u.min().item<double>(), u.max().item<double>()})
      check.that(bound >= 0 && bound <= 1, "uniform", "in [0, 1]", bound);
  }
  check.that(branching >= 2, "branching", ">= 2", branching);
  check.that(depth >= 1, "depth", ">= 1", depth);
  int64_t leaves = 1;
  for (int64_t level = 0; level < depth; ++level) {
    check.that(leaves <= (int64_t{1} << 52) / branching, "depth", "small enough for 2^52 leaves", depth);
    leaves *= branching;
  }
  const auto i = scaled_floor(u.select(1, 0), leaves), raw = scaled_floor(u.select(1, 1), leaves - 1);
  const auto j = raw + raw.ge(i).to(at::kLong);
  // Each level down to which the leading digits agree counts one.
  auto shared = at::zeros_like(i);
  int64_t below = leaves;
  for (int64_t level = 1; level < depth; ++level) {
    below /= branching;
    shared += i.floor_divide(below).eq(j.floor_divide(below)).to(at::kLong);
  }
  return {at::stack({i, j}, 1), shared};
}

SharedPrefix shared_prefix(const std::vector<std::vector<int64_t>>& tokens, const Tensor& pairs) {
  const Check check("preference.shared_prefix");
  if (tokens.empty()) check.refuse(ErrorKind::empty, "tokens", "is empty");
  check.not_empty("pairs", pairs);
  check.shape("pairs", pairs, {-1, 2});
  check.index_range("pairs", pairs, 0, static_cast<int64_t>(tokens.size()));
  const auto indices = pairs.to(at::kCPU, at::kLong).contiguous();
  const auto* index = indices.const_data_ptr<int64_t>();
  std::vector<int64_t> shared, unshared;
  int64_t apart = 0, total = 0;
  for (int64_t n = 0; n < pairs.size(0); ++n) {
    const auto& a = tokens[static_cast<size_t>(index[2 * n])];
    const auto& b = tokens[static_cast<size_t>(index[2 * n + 1])];
    const auto ends = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    shared.push_back(ends.first - a.begin());
    for (const auto* list : {&a, &b}) {
      unshared.push_back(static_cast<int64_t>(list->size()) - shared.back());
      apart += unshared.back();
      total += static_cast<int64_t>(list->size());
    }
  }
  return {at::tensor(shared, at::kLong), at::tensor(unshared, at::kLong).view({-1, 2}),
          total ? static_cast<double>(apart) / static_cast<double>(total) : 0};
}

Tensor prefix_covariance(const Tensor& paths, const Tensor& level_variance) {
  const Check check("tabular.prefix_covariance");
  check_arguments(check, {{"paths", paths, "ND"}, {"level_variance", level_variance, "D"}});
  const auto variance = as_real(level_variance);
  if (readable(variance)) {
    const double least = variance.min().item<double>();
    check.that(least >= 0, "level_variance", ">= 0", least);
  }
  const auto same = paths.unsqueeze(1).eq(paths.unsqueeze(0)).to(variance.dtype());  // [N,N,D]
  return at::matmul(same.cumprod(2), variance);
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("tree_pairs(Tensor uniform, int branching, int depth) -> (Tensor pairs, Tensor shared_depth)",
        [](const Tensor& uniform, int64_t branching, int64_t depth) {
          return as_tuple(tree_pairs(uniform, branching, depth));
        },
        "Random pairs of leaves of a tree.", {"25"});
  m.def(
      "shared_prefix(int[][] tokens, Tensor pairs) -> (Tensor shared, Tensor unshared, float "
      "unshared_fraction)",
      [](const c10::List<c10::List<int64_t>>& tokens, const Tensor& pairs) {
        std::vector<std::vector<int64_t>> lists;
        for (size_t i = 0; i < tokens.size(); ++i) lists.push_back(tokens.get(i).vec());
        return as_tuple(shared_prefix(lists, pairs));
      },
      "How much of two answers an annotator reads only once.", {"25"});
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def("prefix_covariance(Tensor paths, Tensor level_variance) -> (Tensor covariance)", &prefix_covariance,
        "Covariance of rewards that share effects of their prefixes.", {"25"});
}

}  // namespace plaudit
