#include "plaudit/model/activation.h"

#include <ATen/ATen.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/model/fused_rows.h"

namespace plaudit {
namespace {

constexpr double kQuickGelu = 1.702;

// One pass over memory; else the same by plain operators.
bool is_fused(const Tensor& x, const Tensor& other) {
  return has_fused_rows(x) && (!other.defined() || other.scalar_type() == x.scalar_type());
}

Tensor activation_op(const Tensor& x, const std::string& kind) {
  const Check check("decode.activation");
  check.not_empty("x", x);
  check.no_nan("x", x);
  const auto y = activate(as_real(x), activation_from(kind, "decode.activation: kind"));
  return x.is_floating_point() ? y.to(x.scalar_type()) : y;
}

}  // namespace

Activation activation_from(const std::string& name, std::string_view where) {
  if (name == "silu") return Activation::silu;
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_tanh") return Activation::gelu_tanh;
  if (name == "quick_gelu") return Activation::quick_gelu;
  fail(ErrorKind::value, where,
       fmt::format("'{}' is not known{}", name,
                   suggestion(name, {"silu", "gelu", "gelu_tanh", "quick_gelu"})));
}

Tensor activate(const Tensor& x, Activation kind) {
  switch (kind) {
    case Activation::silu:
      return at::silu(x);
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::quick_gelu:
      return x * at::sigmoid(x * kQuickGelu);
  }
  bug("model.activation", "unknown kind");
}

Tensor activate_backward(const Tensor& grad, const Tensor& x, Activation kind) {
  switch (kind) {
    case Activation::silu:
      return at::silu_backward(grad, x);
    case Activation::gelu:
      return at::gelu_backward(grad, x);
    case Activation::gelu_tanh:
      return at::gelu_backward(grad, x, "tanh");
    case Activation::quick_gelu: {
      const auto s = at::sigmoid(x * kQuickGelu);
      return grad * s * (1 + kQuickGelu * x * (1 - s));
    }
  }
  bug("model.activation", "unknown kind");
}

Tensor gated(const Tensor& x, const Tensor& up, Activation kind) {
  if (is_fused(x, up)) return fused_gate(x, up, kind);
  const auto active = activate(x, kind);
  return up.defined() ? active * up : active;
}

std::pair<Tensor, Tensor> gated_backward(const Tensor& grad, const Tensor& x, const Tensor& up,
                                         Activation kind) {
  if (is_fused(x, grad) && is_fused(x, up)) return fused_gate_backward(grad, x, up, kind);
  if (!up.defined()) return {activate_backward(grad, x, kind), Tensor()};
  return {activate_backward(grad * up, x, kind), activate(x, kind).mul_(grad)};
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("activation(Tensor x, *, str kind) -> (Tensor y)", &activation_op,
        "The activation of that name: silu, gelu, gelu_tanh or quick_gelu.", {"90"});
}

}  // namespace plaudit
