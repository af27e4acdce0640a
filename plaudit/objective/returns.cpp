#include "plaudit/objective/returns.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"
#include "plaudit/objective/discounted_scan.h"
#include "plaudit/objective/fused_steps.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

Tensor checked_returns(const Check& check, const Tensor& rewards, const Tensor& mask, double gamma) {
  if (auto fused = fused_returns(rewards, mask, gamma)) return *fused;
  check_tokens(check, {{"rewards", rewards}}, mask, ValidRows::some);
  check_discount(check, gamma);
  return keep_valid(discounted_returns(keep_valid(as_real(rewards), mask), gamma), mask);
}

}  // namespace

Tensor discounted_returns(const Tensor& rewards, double gamma) {
  return discounted_scan(rewards, gamma);
}

Tensor discounted_returns_derivative(const Tensor& rewards, double gamma) {
  // G_t = r_t + gamma G_{t+1}, so dG_t = G_{t+1} + gamma dG_{t+1}.
  const auto later = at::constant_pad_nd(discounted_scan(rewards, gamma).slice(1, 1), {0, 1});
  return discounted_scan(later, gamma);
}

Tensor returns_to_go(const Tensor& rewards, const Tensor& mask, double gamma) {
  return checked_returns(Check("offline.returns_to_go"), rewards, mask, gamma);
}

Tensor returns_gamma_derivative(const Tensor& rewards, const Tensor& mask, double gamma) {
  if (auto fused = fused_returns_derivative(rewards, mask, gamma)) return *fused;
  const Check check("bilevel.returns_gamma_derivative");
  check_tokens(check, {{"rewards", rewards}}, mask, ValidRows::some);
  check_discount(check, gamma);
  return keep_valid(discounted_returns_derivative(keep_valid(as_real(rewards), mask), gamma), mask);
}

Tensor return_condition(const Tensor& target, const Tensor& rewards) {
  const Check check("offline.return_condition");
  check_arguments(check, {{"target", target, "B"}, {"rewards", rewards, "BT"}});
  const auto r = as_real(rewards);
  return as_real(target).unsqueeze(1) - (r.cumsum(1) - r);
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def("returns_to_go(Tensor rewards, Tensor mask, float gamma=1.) -> (Tensor returns_to_go)",
        &returns_to_go, "Discounted rewards still to come.", {"08", "49", "33"});
  m.def("return_condition(Tensor target, Tensor rewards) -> (Tensor targets)", &return_condition,
        "The return that is left to reach before each step.", {"49"});
}

PLAUDIT_FUNCTIONS(advantage, m) {
  m.def("returns_to_go(Tensor rewards, Tensor mask, float gamma=1.) -> (Tensor returns)",
        [](const Tensor& rewards, const Tensor& mask, double gamma) {
          return checked_returns(Check("advantage.returns_to_go"), rewards, mask, gamma);
        },
        "Discounted rewards still to come.", {"21", "08"});
}

PLAUDIT_FUNCTIONS(bilevel, m) {
  m.def("returns_gamma_derivative(Tensor rewards, Tensor mask, float gamma) -> (Tensor derivative)",
        &returns_gamma_derivative, "How the returns to go change with the discount.", {"20"});
}

}  // namespace plaudit
