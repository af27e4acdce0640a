// Returns and advantages on the processor in one pass over memory: checks, masks, differences and the
// recursion together, a few rows and steps at a time. Twins of the operators in advantage.cpp and
// returns.cpp.
//
// Each gives nothing where it does not apply (a derivative is wanted, another device, type or layout) or
// where an argument would be refused; the caller then goes on with the operators, which name the error.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace plaudit {

// The values of `t` can be read and no derivative of any kind is wanted.
bool values_alone(const at::Tensor& t);

struct FusedAdvantages {
  at::Tensor advantages, returns;
};

// Of `advantage.gae`; `advantages` is undefined unless `need_advantages`. Valid steps stand to the left.
std::optional<FusedAdvantages> fused_gae(const at::Tensor& rewards, const at::Tensor& values,
                                         const at::Tensor& mask, double gamma, double lam,
                                         bool need_advantages = true);

// Of `returns_to_go`, any mask.
std::optional<at::Tensor> fused_returns(const at::Tensor& rewards, const at::Tensor& mask, double gamma);

// Of `returns_gamma_derivative`, any mask.
std::optional<at::Tensor> fused_returns_derivative(const at::Tensor& rewards, const at::Tensor& mask,
                                                   double gamma);

// Of `masked_whiten`, any mask with two valid elements.
std::optional<at::Tensor> fused_whiten(const at::Tensor& x, const at::Tensor& mask, bool shift_mean,
                                       double eps);

}  // namespace plaudit
