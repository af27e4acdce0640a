// Activations of MLPs by name: silu, gelu (with erf), gelu_tanh, quick_gelu.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace plaudit {

enum class Activation { silu, gelu, gelu_tanh, quick_gelu };

// UserError (value) with the nearest name for an unknown one.
Activation activation_from(const std::string& name, std::string_view where);

at::Tensor activate(const at::Tensor& x, Activation kind);
// d(loss)/dx from d(loss)/d(activate(x)).
at::Tensor activate_backward(const at::Tensor& grad, const at::Tensor& x, Activation kind);

}  // namespace plaudit
