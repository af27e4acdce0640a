#include "plaudit/objective/discounted_scan.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/parallel.h"
#include "plaudit/model/decode_kernels.h"
#include "plaudit/objective/fused_steps.h"

namespace plaudit {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x shifted `step` to the left along the last dimension, zeros behind.
Tensor shifted(const Tensor& x, int64_t step) {
  return at::constant_pad_nd(x.slice(-1, step), {0, step});
}

// The recursion row by row, with one decay or those of `decays`.
Tensor scan_by_rows(const Tensor& x, double decay, const Tensor& decays = {}) {
  const auto in = x.contiguous(), d = decays.defined() ? decays.contiguous() : Tensor();
  auto out = at::empty_like(in);
  if (in.numel() == 0) return out;
  AT_DISPATCH_FLOATING_TYPES(in.scalar_type(), "discounted_scan", [&] {
    const auto scan = [] {
      if constexpr (sizeof(scalar_t) == sizeof(float))
        return decode::kernels().steps.f32.scan;
      else
        return decode::kernels().steps.f64.scan;
    }();
    const auto* from = in.const_data_ptr<scalar_t>();
    const auto* by = d.defined() ? d.const_data_ptr<scalar_t>() : nullptr;
    auto* to = out.mutable_data_ptr<scalar_t>();
    const int64_t length = in.size(-1);
    parallel_for(0, in.numel() / length, std::max<int64_t>(1, 16384 / length),
                 [&](int64_t begin, int64_t end) {
                   const int64_t at = begin * length;
                   scan({from + at, end - begin, length, static_cast<scalar_t>(decay),
                         by == nullptr ? nullptr : by + at, to + at});
                 });
  });
  return out;
}

// With g = d(loss)/dy: d(loss)/dx_t = g_t + decay_{t-1} d(loss)/dx_{t-1}, the same recursion the other way
// round, and d(loss)/d(decay_t) = d(loss)/dx_t y_{t+1}.
class Scan : public torch::autograd::Function<Scan> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& decay) {
    const auto y = scan_by_rows(x, 0, decay);
    ctx->save_for_backward({decay, y});
    return y;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &decay = saved[0], &y = saved[1];
    const auto before = at::constant_pad_nd(decay, {1, 0}).slice(-1, 0, decay.size(-1));
    const auto dx = discounted_scan(grads[0].flip(-1), before.flip(-1)).flip(-1);
    return {dx, ctx->needs_input_grad(1) ? dx * shifted(y, 1) : Tensor()};
  }
};

// As above with one decay, which is no variable.
class EvenScan : public torch::autograd::Function<EvenScan> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& x, double decay) {
    ctx->saved_data["decay"] = decay;
    return scan_by_rows(x, decay);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const double decay = ctx->saved_data["decay"].toDouble();
    return {discounted_scan(grads[0].flip(-1), decay).flip(-1), Tensor()};
  }
};

// Plain values of the processor without a tangent; half types and complex numbers go the general way.
bool by_rows(const Tensor& x) {
  return readable(x) && !x._fw_grad(/*level=*/0).defined() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

}  // namespace

// After k rounds y_t holds the sum of the next 2^k terms: y_t <- y_t + d_t y_{t+2^k}, d_t <- d_t d_{t+2^k}.
at::Tensor scan_by_doubling(at::Tensor y, at::Tensor decay) {
  const int64_t length = y.size(-1);
  for (int64_t step = 1; step < length; step *= 2) {
    y = y + decay * shifted(y, step);
    decay = decay * shifted(decay, step);
  }
  return y;
}

Tensor discounted_scan(const Tensor& x, double decay) {
  if (!by_rows(x)) return scan_by_doubling(x, at::full_like(x, decay));
  return values_alone(x) ? scan_by_rows(x, decay) : EvenScan::apply(x, decay);
}

Tensor discounted_scan(const Tensor& x, const Tensor& decay) {
  if (!by_rows(x) || !by_rows(decay) || x.scalar_type() != decay.scalar_type() || x.sizes() != decay.sizes())
    return scan_by_doubling(x, decay);
  return values_alone(x) && values_alone(decay) ? scan_by_rows(x, 0, decay) : Scan::apply(x, decay);
}

}  // namespace plaudit
