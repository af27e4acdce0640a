#include "plaudit/env/tabular.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

// "transition[3, 1]": where element `flat` of a contiguous tensor of these sizes stands.
std::string place(std::string_view name, at::IntArrayRef sizes, int64_t flat) {
  std::vector<int64_t> index(sizes.size());
  for (size_t d = sizes.size(); d-- > 0; flat /= sizes[d]) index[d] = flat % sizes[d];
  return index.empty() ? std::string(name) : fmt::format("{}[{}]", name, fmt::join(index, ", "));
}

void check_distributions(const Check& check, const Table& t) {
  const auto p = on_cpu_f64(t.value);
  const auto [least, at_least] = p.flatten().min(0);
  if (least.item<double>() < -1e-9)
    check.refuse(ErrorKind::value, place(t.name, p.sizes(), at_least.item<int64_t>()),
                 fmt::format("must be a probability, which is not below 0, got {}", least.item<double>()));
  const auto sums = p.sum(-1);
  const auto [error, worst] = (sums.flatten() - 1).abs().max(0);
  if (error.item<double>() > 1e-6)
    check.refuse(ErrorKind::value, place(t.name, sums.sizes(), worst.item<int64_t>()),
                 fmt::format("is a distribution and must sum to 1, its sum is {}",
                             sums.flatten()[worst.item<int64_t>()].item<double>()));
}

}  // namespace

void check_tables(const Check& check, std::initializer_list<Table> tables) {
  std::vector<ShapedTensor> given;
  for (const auto& t : tables) {
    if (t.value.defined()) given.push_back({t.name, t.value, t.sizes});
  }
  // A list without elements tells no sizes that could be wrong.
  for (const auto& t : given) {
    if (t.value.dim() == 1) check.not_empty(t.name, t.value);
  }
  check_sizes(check, given);
  check_finite(check, given);
  for (const auto& t : tables) {
    if (t.rows == Table::distributions && t.value.defined() && t.value.numel() > 0)
      check_distributions(check, t);
  }
  check_not_empty(check, given);
}

void check_table_discount(const Check& check, double gamma, bool finite_horizon) {
  if (finite_horizon) return check_discount(check, gamma);
  check.that(gamma >= 0 && gamma < 1, "gamma", "in [0, 1)", gamma);
}

Tensor uniform_policy(const Tensor& transition) {
  const int64_t actions = transition.size(1);
  return at::full({transition.size(0), actions}, 1 / static_cast<double>(actions), at::kDouble);
}

Tensor expect_next(const Tensor& transition, const Tensor& values) {
  if (values.dim() == 1) return at::matmul(transition, values);
  return (transition * values).sum(-1);
}

Tensor chain_of(const Tensor& transition, const Tensor& policy) {
  return policy.unsqueeze(1).bmm(transition).squeeze(1);
}

Tensor solve_discounted(const Tensor& chain, const Tensor& b, double gamma) {
  const auto system = at::eye(chain.size(0), chain.options()) - gamma * chain;
  return at::linalg_solve(system, b);
}

}  // namespace plaudit
