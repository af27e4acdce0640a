#include "plaudit/objective/bilevel.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/mixed_types.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"
#include "plaudit/objective/returns.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

void check_batch(const Check& check, const TabularBatch& batch, std::initializer_list<NamedTensor> rewards,
                 double gamma) {
  check_not_empty(
      check,
      {{"states", batch.states, "BT"}, {"actions", batch.actions, "BT"}, {"logits", batch.logits, "SA"}});
  check_sizes(check, {{"states", batch.states, "BT"},
                      {"actions", batch.actions, "BT"},
                      {"mask", batch.mask, "BT"},
                      {"logits", batch.logits, "SA"}});
  for (const auto& r : rewards) check.same_shape("states", batch.states, r.name, r.value);
  check_tokens(check, rewards, batch.mask, ValidRows::some);
  check.finite("logits", batch.logits);
  check.index_range("states", keep_valid(batch.states, batch.mask), 0, batch.logits.size(0));
  check.index_range("actions", keep_valid(batch.actions, batch.mask), 0, batch.logits.size(1));
  check_discount(check, gamma);
}

Tensor valid(const Tensor& x, const TabularBatch& batch) {
  return keep_valid(as_real(x), batch.mask);
}

// (1/B) sum of `weights` [B,T] (0 under the mask) over the visits of every (s,a), [S,A].
Tensor visit_sums(const TabularBatch& batch, const Tensor& weights) {
  const int64_t actions = batch.logits.size(1);
  const auto states = keep_valid(batch.states, batch.mask).to(at::kLong);
  const auto cell = states * actions + keep_valid(batch.actions, batch.mask).to(at::kLong);
  const auto sums =
      at::zeros({batch.logits.numel()}, weights.options()).index_add(0, cell.flatten(), weights.flatten());
  return sums.view_as(batch.logits) / static_cast<double>(batch.states.size(0));
}

// (1/B) sum grad log pi * weights = visits - W_s pi.
Tensor score_sum(const TabularBatch& batch, const Tensor& weights) {
  const auto visits = visit_sums(batch, keep_valid(weights, batch.mask));
  return visits - visits.sum(1, true) * at::softmax(as_real(batch.logits), 1);
}

Tensor blend(const Tensor& primary, const Tensor& auxiliary, const Tensor& mask, const Tensor& phi) {
  const auto f = as_real(phi);
  const auto mixed =
      f[0] + f[1] * keep_valid(as_real(primary), mask) + f[2] * keep_valid(as_real(auxiliary), mask);
  return keep_valid(mixed, mask);
}

void check_phi(const Check& check, const Tensor& phi) {
  check.not_empty("phi", phi);
  check.shape("phi", phi, {3});
  check.finite("phi", phi);
}

void check_series(const Check& check, double step, int64_t terms) {
  check.that(step > 0, "step", "> 0", step);
  check.that(terms >= 0, "terms", ">= 0", terms);
}

Tensor neumann(const Tensor& matrix, const Tensor& vector, double step, int64_t terms) {
  auto power = vector, total = vector;
  for (int64_t i = 0; i < terms; ++i) {
    power = power - step * at::mv(matrix, power);
    total = total + power;
  }
  return step * total;
}

}  // namespace

Tensor behavior_alignment_reward(const Tensor& primary, const Tensor& auxiliary, const Tensor& mask,
                                 const Tensor& phi) {
  const Check check("bilevel.behavior_alignment_reward");
  check_tokens(check, {{"primary", primary}, {"auxiliary", auxiliary}}, mask, ValidRows::some);
  check_phi(check, phi);
  return blend(primary, auxiliary, mask, phi);
}

Tensor inner_direction(const TabularBatch& batch, const Tensor& rewards, const InnerOptions& options) {
  const Check check("bilevel.inner_direction");
  check_batch(check, batch, {{"rewards", rewards}}, options.gamma);
  check.that(options.l2 >= 0, "l2", ">= 0", options.l2);
  return score_sum(batch, discounted_returns(valid(rewards, batch), options.gamma)) -
         options.l2 * as_real(batch.logits);
}

Tensor inner_jacobian(const TabularBatch& batch, const Tensor& rewards, const InnerOptions& options) {
  const Check check("bilevel.inner_jacobian");
  check_batch(check, batch, {{"rewards", rewards}}, options.gamma);
  check.that(options.l2 >= 0, "l2", ">= 0", options.l2);
  const auto returns = keep_valid(discounted_returns(valid(rewards, batch), options.gamma), batch.mask);
  const auto weight = visit_sums(batch, returns).sum(1).view({-1, 1, 1});
  const auto pi = at::softmax(as_real(batch.logits), 1);
  const auto blocks = -weight * (at::diag_embed(pi) - pi.unsqueeze(2) * pi.unsqueeze(1));
  const int64_t states = pi.size(0), actions = pi.size(1);
  const auto spread = at::eye(states, pi.options()).view({states, 1, states, 1}) * blocks.unsqueeze(2);
  const int64_t n = states * actions;
  return spread.reshape({n, n}) - options.l2 * at::eye(n, pi.options());
}

Tensor cross_derivative(const TabularBatch& batch, const Tensor& primary, const Tensor& auxiliary,
                        const Tensor& phi, double gamma) {
  const Check check("bilevel.cross_derivative");
  check_batch(check, batch, {{"primary", primary}, {"auxiliary", auxiliary}}, gamma);
  check_phi(check, phi);
  const auto by_reward = [&](const Tensor& r) {
    return score_sum(batch, discounted_returns(r, gamma)).flatten();
  };
  const auto ones = keep_valid(at::ones_like(as_real(primary)), batch.mask);
  const auto mixed = blend(primary, auxiliary, batch.mask, phi);
  const auto by_gamma = score_sum(batch, discounted_returns_derivative(mixed, gamma)).flatten();
  return at::stack(
      {by_reward(ones), by_reward(valid(primary, batch)), by_reward(valid(auxiliary, batch)), by_gamma}, 1);
}

Tensor outer_gradient(const TabularBatch& batch, const Tensor& primary, double gamma) {
  const Check check("bilevel.outer_gradient");
  check_batch(check, batch, {{"primary", primary}}, gamma);
  return score_sum(batch, discounted_returns(valid(primary, batch), gamma));
}

Tensor neumann_inverse_product(const Tensor& matrix, const Tensor& vector, double step, int64_t terms) {
  const Check check("bilevel.neumann_inverse_product");
  check_arguments(check, {{"matrix", matrix, "NN"}, {"vector", vector, "N"}});
  check_series(check, step, terms);
  const auto type = common_real_type({matrix, vector});
  return neumann(matrix.to(type), vector.to(type), step, terms);
}

Tensor implicit_gradient(const Tensor& outer_gradient, const Tensor& inner_jacobian, const Tensor& cross,
                         const ImplicitOptions& options) {
  const Check check("bilevel.implicit_gradient");
  check_arguments(check, {{"outer_gradient", outer_gradient, "N"},
                          {"inner_jacobian", inner_jacobian, "NN"},
                          {"cross", cross, "NM"}});
  check.choice("method", options.method, {"solve", "neumann"});
  check.that(options.damping >= 0, "damping", ">= 0", options.damping);
  const auto type = common_real_type({outer_gradient, inner_jacobian, cross});
  const auto h = inner_jacobian.to(type), v = outer_gradient.to(type);
  const auto system = options.damping * at::eye(h.size(0), h.options()) - h.t();
  Tensor solution;
  if (options.method == "neumann") {
    if (!options.step) check.refuse(ErrorKind::value, "step", "is needed by the method neumann");
    if (!options.terms) check.refuse(ErrorKind::value, "terms", "is needed by the method neumann");
    check_series(check, *options.step, *options.terms);
    solution = neumann(system, v, *options.step, *options.terms);
  } else {
    const auto sizes = at::linalg_svdvals(system.detach());
    const double condition = (sizes.max() / sizes.min()).item<double>();
    check.that(condition <= 1e12, "inner_jacobian", "regular after damping: condition <= 1e12", condition);
    solution = at::linalg_solve(system, v);
  }
  return at::mv(cross.to(type).t(), solution);
}

PLAUDIT_FUNCTIONS(bilevel, m) {
  m.def(
      "behavior_alignment_reward(Tensor primary, Tensor auxiliary, Tensor mask, Tensor phi) -> (Tensor "
      "reward)",
      &behavior_alignment_reward, "A blend of the true and an auxiliary reward.", {"20"});
  m.def(
      "inner_direction(Tensor states, Tensor actions, Tensor mask, Tensor logits, Tensor rewards, float "
      "gamma, float "
      "l2=0.) -> (Tensor direction)",
      [](const Tensor& states, const Tensor& actions, const Tensor& mask, const Tensor& logits,
         const Tensor& rewards, double gamma, double l2) {
        return inner_direction({states, actions, mask, logits}, rewards, {gamma, l2});
      },
      "The policy gradient of a softmax table.", {"20"});
  m.def(
      "inner_jacobian(Tensor states, Tensor actions, Tensor mask, Tensor logits, Tensor rewards, float "
      "gamma, float "
      "l2=0.) -> (Tensor jacobian)",
      [](const Tensor& states, const Tensor& actions, const Tensor& mask, const Tensor& logits,
         const Tensor& rewards, double gamma, double l2) {
        return inner_jacobian({states, actions, mask, logits}, rewards, {gamma, l2});
      },
      "The Jacobian of that policy gradient by the logits.", {"20"});
  m.def(
      "cross_derivative(Tensor states, Tensor actions, Tensor mask, Tensor logits, Tensor primary, Tensor "
      "auxiliary, "
      "Tensor phi, float gamma) -> (Tensor cross)",
      [](const Tensor& states, const Tensor& actions, const Tensor& mask, const Tensor& logits,
         const Tensor& primary, const Tensor& auxiliary, const Tensor& phi, double gamma) {
        return cross_derivative({states, actions, mask, logits}, primary, auxiliary, phi, gamma);
      },
      "The Jacobian of that policy gradient by the blend and the discount.", {"20"});
  m.def(
      "outer_gradient(Tensor states, Tensor actions, Tensor mask, Tensor logits, Tensor primary, float "
      "gamma) -> "
      "(Tensor gradient)",
      [](const Tensor& states, const Tensor& actions, const Tensor& mask, const Tensor& logits,
         const Tensor& primary, double gamma) {
        return outer_gradient({states, actions, mask, logits}, primary, gamma);
      },
      "The policy gradient of the true reward.", {"20"});
  m.def("neumann_inverse_product(Tensor matrix, Tensor vector, float step, int terms) -> (Tensor product)",
        &neumann_inverse_product, "matrix^-1 vector by its Neumann series.", {"20"});
  m.def(
      "implicit_gradient(Tensor outer_gradient, Tensor inner_jacobian, Tensor cross, str method='solve', "
      "float? "
      "step=None, int? terms=None, float damping=0.) -> (Tensor gradient)",
      [](const Tensor& outer, const Tensor& inner, const Tensor& cross, std::string method,
         std::optional<double> step, std::optional<int64_t> terms, double damping) {
        return implicit_gradient(outer, inner, cross, {std::move(method), step, terms, damping});
      },
      "The gradient through a converged inner learner.", {"20"});
}

}  // namespace plaudit
