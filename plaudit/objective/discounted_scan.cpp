#include "plaudit/objective/discounted_scan.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/parallel.h"
#include "plaudit/objective/fused_steps.h"
#include "plaudit/objective/scan_lanes.h"

namespace plaudit {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x shifted `step` to the left along the last dimension, zeros behind.
Tensor shifted(const Tensor& x, int64_t step) {
  return at::constant_pad_nd(x.slice(-1, step), {0, step});
}

// The recursion row by row; `decay_of(pointer to a Scalar)` gives decay(row, t).
template <class DecayOf>
Tensor scan_by_rows(const Tensor& x, const DecayOf& decay_of) {
  const auto in = x.contiguous();
  auto out = at::empty_like(in);
  if (in.numel() == 0) return out;
  AT_DISPATCH_FLOATING_TYPES(in.scalar_type(), "discounted_scan", [&] {
    const auto* from = in.const_data_ptr<scalar_t>();
    auto* to = out.mutable_data_ptr<scalar_t>();
    const auto decay = decay_of(scalar_t{});
    const int64_t length = in.size(-1), rows = in.numel() / length;
    const int64_t groups = (rows + kScanLanes - 1) / kScanLanes;
    parallel_for(
        0, groups, std::max<int64_t>(1, 16384 / (kScanLanes * length)), [&](int64_t begin, int64_t end) {
          for (int64_t first = begin * kScanLanes; first < std::min(end * kScanLanes, rows);
               first += kScanLanes) {
            scalar_t next[kScanLanes] = {};
            scan_rows(from + first * length, to + first * length, std::min(kScanLanes, rows - first), length,
                      length, next, [&](int64_t lane, int64_t t) { return decay(first + lane, t); });
          }
        });
  });
  return out;
}

Tensor scan_by_rows(const Tensor& x, double decay) {
  return scan_by_rows(x, [decay](auto zero) {
    const auto d = static_cast<decltype(zero)>(decay);
    return [d](int64_t, int64_t) { return d; };
  });
}

Tensor scan_by_rows(const Tensor& x, const Tensor& decay) {
  const auto d = decay.to(x.scalar_type()).contiguous();
  return scan_by_rows(x, [&d, length = x.size(-1)](auto zero) {
    const auto* at = d.const_data_ptr<decltype(zero)>();
    return [at, length](int64_t row, int64_t t) { return at[row * length + t]; };
  });
}

// With g = d(loss)/dy: d(loss)/dx_t = g_t + decay_{t-1} d(loss)/dx_{t-1}, the same recursion the other way
// round, and d(loss)/d(decay_t) = d(loss)/dx_t y_{t+1}.
class Scan : public torch::autograd::Function<Scan> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& decay) {
    const auto y = scan_by_rows(x, decay);
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
  return values_alone(x) && values_alone(decay) ? scan_by_rows(x, decay) : Scan::apply(x, decay);
}

}  // namespace plaudit
