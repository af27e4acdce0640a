#include "plaudit/model/norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/model/fused_rows.h"

namespace plaudit {
namespace {

at::ScalarType wide(const Tensor& t) {
  return t.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

// The weight as it multiplies.
Tensor scale_of(const Norm& norm, at::ScalarType dtype) {
  const auto weight = norm.weight.detach().to(dtype);
  return norm.unit_offset ? weight + 1 : weight;
}

// RMSNorm in one pass over memory; else the same by plain operators.
bool is_fused_norm(const Norm& norm, const Tensor& x, at::ScalarType other) {
  return !norm.bias.defined() && has_fused_rows(x) && is_fused_type(other);
}

class NormFunction : public torch::autograd::Function<NormFunction> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias, double eps, bool unit_offset, at::ScalarType out) {
    const Norm norm{weight, bias.value_or(Tensor()), eps, unit_offset};
    NormState state;
    const auto y = norm_forward(x.reshape({-1, x.size(-1)}), norm, out, state);
    ctx->save_for_backward({x, weight, norm.bias, state.mean, state.rstd});
    ctx->saved_data["eps"] = eps;
    ctx->saved_data["unit_offset"] = unit_offset;
    return y.view(x.sizes());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto& x = saved[0];
    const Norm norm{saved[1], saved[2], ctx->saved_data["eps"].toDouble(),
                    ctx->saved_data["unit_offset"].toBool()};
    const bool layer_norm = norm.bias.defined();
    const bool need_weights = ctx->needs_input_grad(1) || (layer_norm && ctx->needs_input_grad(2));
    auto result = norm_backward(grads[0].reshape({-1, x.size(-1)}), x.reshape({-1, x.size(-1)}), norm,
                                {saved[3], saved[4]}, need_weights);
    return {result.x.view(x.sizes()), result.weight, result.bias, {}, {}, {}};
  }
};

}  // namespace

Tensor norm_forward(const Tensor& x, const Norm& norm, at::ScalarType out, NormState& state) {
  if (is_fused_norm(norm, x, out))
    return fused_rms_norm(x, scale_of(norm, at::kFloat), norm.eps, out, state.rstd);
  const auto wide_x = x.to(wide(x));
  const auto scale = scale_of(norm, wide(x));
  if (norm.bias.defined()) {
    Tensor y;
    std::tie(y, state.mean, state.rstd) =
        at::native_layer_norm(wide_x, {x.size(-1)}, scale, norm.bias.detach().to(wide(x)), norm.eps);
    return y.to(out);
  }
  state.rstd = wide_x.square().mean(-1, true).add_(norm.eps).rsqrt_();
  return (wide_x * state.rstd).mul_(scale).to(out);
}

NormGrads norm_backward(const Tensor& grad, const Tensor& x, const Norm& norm, const NormState& state,
                        bool need_weights) {
  const auto scale = scale_of(norm, wide(x));
  NormGrads out;
  if (is_fused_norm(norm, x, grad.scalar_type())) {
    std::tie(out.x, out.weight) = fused_rms_norm_backward(grad, x, scale, state.rstd, need_weights);
    if (need_weights) out.weight = out.weight.to(norm.weight.scalar_type());
    return out;
  }
  const auto wide_x = x.to(wide(x)), wide_grad = grad.to(wide(x));
  if (norm.bias.defined()) {
    std::tie(out.x, out.weight, out.bias) =
        at::native_layer_norm_backward(wide_grad, wide_x, {x.size(-1)}, state.mean, state.rstd, scale,
                                       norm.bias.detach().to(wide(x)), {true, need_weights, need_weights});
  } else {
    // With n = x r: dx = r (g - n mean(g n)), g = grad * scale.
    const auto normed = wide_x * state.rstd;
    const auto g = wide_grad * scale;
    out.x = (g - normed * (g * normed).mean(-1, true)).mul_(state.rstd);
    if (need_weights) out.weight = (wide_grad * normed).sum(0);
  }
  out.x = out.x.to(x.scalar_type());
  if (out.weight.defined()) out.weight = out.weight.to(norm.weight.scalar_type());
  if (out.bias.defined()) out.bias = out.bias.to(norm.bias.scalar_type());
  return out;
}

Tensor apply_norm(const Tensor& x, const Norm& norm, at::ScalarType out) {
  const auto bias = norm.bias.defined() ? std::optional(norm.bias) : std::nullopt;
  return NormFunction::apply(x, norm.weight, bias, norm.eps, norm.unit_offset, out);
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps, bool unit_offset) {
  const Check check("decode.rms_norm");
  check.not_empty("x", x);
  if (x.dim() < 1) check.refuse(ErrorKind::shape, "x", "must have at least one dimension");
  check.dim("weight", weight, 1);
  check.same_size("x", x, x.dim() - 1, "weight", weight, 0);
  check.finite("x", x);
  check.finite("weight", weight);
  check.that(eps >= 0, "eps", ">= 0", eps);
  const auto real = as_real(x), w = as_real(weight);
  const auto normed = real * at::rsqrt(real.square().mean(-1, true) + eps);
  return (normed * (unit_offset ? w + 1 : w))
      .to(x.is_floating_point() ? x.scalar_type() : real.scalar_type());
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("rms_norm(Tensor x, Tensor weight, *, float eps=1e-05, bool unit_offset=False) -> (Tensor y)",
        &rms_norm, "Root-mean-square normalisation of the last dimension, scaled by w or 1 + w.", {"90"});
}

}  // namespace plaudit
