// Activations of MLPs by name: silu, gelu (with erf), gelu_tanh, quick_gelu.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>

namespace plaudit {

enum class Activation { silu, gelu, gelu_tanh, quick_gelu };

// UserError (value) with the nearest name for an unknown one.
Activation activation_from(const std::string& name, std::string_view where);

at::Tensor activate(const at::Tensor& x, Activation kind);
// d(loss)/dx from d(loss)/d(activate(x)).
at::Tensor activate_backward(const at::Tensor& grad, const at::Tensor& x, Activation kind);

// activate(x) * up, or activate(x) where `up` is undefined. Not differentiable.
at::Tensor gated(const at::Tensor& x, const at::Tensor& up, Activation kind);
// The gradients of x and up from that of gated(x, up).
std::pair<at::Tensor, at::Tensor> gated_backward(const at::Tensor& grad, const at::Tensor& x,
                                                 const at::Tensor& up, Activation kind);

}  // namespace plaudit
