#include "plaudit/objective/discounted_scan.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/parallel.h"

namespace plaudit {
namespace {

using at::Tensor;

// x shifted `step` to the left along the last dimension, zeros behind.
Tensor shifted(const Tensor& x, int64_t step) {
  return at::constant_pad_nd(x.slice(-1, step), {0, step});
}

// After k rounds y_t holds the sum of the next 2^k terms: y_t <- y_t + d_t y_{t+2^k}, d_t <- d_t d_{t+2^k}.
Tensor scan_by_doubling(Tensor y, Tensor decay) {
  const int64_t length = y.size(-1);
  for (int64_t step = 1; step < length; step *= 2) {
    y = y + decay * shifted(y, step);
    decay = decay * shifted(decay, step);
  }
  return y;
}

// `decay_at(row, t)` is the decay of one step.
template <class Scalar, class DecayAt>
void scan_rows(const Scalar* x, Scalar* y, int64_t rows, int64_t length, DecayAt decay_at) {
  parallel_for(0, rows, std::max<int64_t>(1, 32768 / length), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      Scalar next = 0;
      for (int64_t t = length - 1; t >= 0; --t) {
        next = x[row * length + t] + decay_at(row, t) * next;
        y[row * length + t] = next;
      }
    }
  });
}

bool by_rows(const Tensor& x, const Tensor* decay) {
  const bool needs_gradient =
      at::GradMode::is_enabled() && (x.requires_grad() || (decay && decay->requires_grad()));
  return readable(x) && !needs_gradient;
}

}  // namespace

Tensor discounted_scan(const Tensor& x, double decay) {
  if (!by_rows(x, nullptr)) return scan_by_doubling(x, at::full_like(x, decay));
  const auto in = x.contiguous();
  auto out = at::empty_like(in);
  if (in.numel() == 0) return out;
  AT_DISPATCH_FLOATING_TYPES(in.scalar_type(), "discounted_scan", [&] {
    const auto d = static_cast<scalar_t>(decay);
    scan_rows(in.const_data_ptr<scalar_t>(), out.mutable_data_ptr<scalar_t>(), in.numel() / in.size(-1),
              in.size(-1), [d](int64_t, int64_t) { return d; });
  });
  return out;
}

Tensor discounted_scan(const Tensor& x, const Tensor& decay) {
  if (!by_rows(x, &decay)) return scan_by_doubling(x, decay);
  const auto in = x.contiguous(), d = decay.to(in.scalar_type()).contiguous();
  auto out = at::empty_like(in);
  if (in.numel() == 0) return out;
  AT_DISPATCH_FLOATING_TYPES(in.scalar_type(), "discounted_scan", [&] {
    const auto* at = d.const_data_ptr<scalar_t>();
    const int64_t length = in.size(-1);
    scan_rows(in.const_data_ptr<scalar_t>(), out.mutable_data_ptr<scalar_t>(), in.numel() / length, length,
              [at, length](int64_t row, int64_t t) { return at[row * length + t]; });
  });
  return out;
}

}  // namespace plaudit
