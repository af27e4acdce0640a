#include "plaudit/model/decode_linear.h"

#include <ATen/ATen.h>

#include "plaudit/core/parallel.h"

namespace plaudit::decode {
namespace {

// Below this many multiplications a second thread costs more than it saves.
constexpr int64_t kMinWork = 1 << 16;

// [n, ...] padded with zeros to a multiple of 32 along the first dimension.
at::Tensor pad_rows(const at::Tensor& t) {
  const auto missing = round_up(t.size(0), kPanel) - t.size(0);
  if (missing == 0) return t;
  auto sizes = t.sizes().vec();
  sizes[0] = missing;
  return at::cat({t, at::zeros(sizes, t.options())});
}

// Rows of two tensors in turns of sixteen, as Store::gate wants them.
at::Tensor interleave(const at::Tensor& gate, const at::Tensor& up) {
  const auto half = kPanel / 2;
  auto sizes = gate.sizes().vec();
  sizes[0] = round_up(sizes[0], half);
  const auto padded = [&](const at::Tensor& t) {
    auto out = at::zeros(sizes, t.options());
    out.narrow(0, 0, t.size(0)).copy_(t);
    return out.unflatten(0, {-1, half});
  };
  return at::stack({padded(gate), padded(up)}, 1).flatten(0, 2);
}

}  // namespace

template <class T>
PackedMatrix<T>::PackedMatrix(const at::Tensor& weight, const at::Tensor& bias)
    : out_(weight.size(0)), in_(weight.size(1)), depth_(round_up(weight.size(1), 2)) {
  auto w = pad_rows(weight.detach().to(at::kCPU, kScalarType<T>));
  if (depth_ != in_) w = at::constant_pad_nd(w, {0, depth_ - in_});
  const int64_t pair = kScalarType<T> == at::kFloat ? 1 : 2;
  panels_ = w.view({-1, kPanel, depth_ / pair, pair}).transpose(1, 2).contiguous();
  if (bias.defined()) bias_ = pad_rows(bias.detach().to(at::kCPU, at::kFloat)).contiguous();
}

template <class T>
PackedMatrix<T> PackedMatrix<T>::gated(const at::Tensor& gate, const at::Tensor& up,
                                       const at::Tensor& gate_bias, const at::Tensor& up_bias) {
  const auto bias = gate_bias.defined() ? interleave(gate_bias.detach(), up_bias.detach()) : at::Tensor();
  PackedMatrix packed(interleave(gate.detach(), up.detach()), bias);
  packed.out_ = gate.size(0) * 2;
  return packed;
}

template <class T>
void PackedMatrix<T>::apply(const KernelSet& set, const T* x, int64_t stride, int64_t rows,
                            const Output<T>& out) const {
  PanelTask<T> task{.x = x,
                    .x_stride = stride,
                    .rows = rows,
                    .panels = static_cast<const T*>(panels_.const_data_ptr()),
                    .depth = depth_,
                    .first_panel = 0,
                    .last_panel = 0,
                    .columns = out_,
                    .bias = bias_.defined() ? bias_.const_data_ptr<float>() : nullptr,
                    .store = out.store,
                    .act = out.act,
                    .out_f32 = out.f32,
                    .out_t = out.narrow,
                    .out_stride = out.stride};
  const auto grain = std::max<int64_t>(1, kMinWork / std::max<int64_t>(1, rows * depth_ * kPanel));
  parallel_for(0, panels_.size(0), grain, [&](int64_t begin, int64_t end) {
    auto part = task;
    part.first_panel = begin;
    part.last_panel = end;
    set.template of<T>().panels(part);
  });
}

template <class T>
void PackedMatrix<T>::row(int64_t i, float* out) const {
  const int64_t pair = kScalarType<T> == at::kFloat ? 1 : 2;
  const auto* panel = static_cast<const T*>(panels_.const_data_ptr()) + i / kPanel * kPanel * depth_;
  for (int64_t k = 0; k < in_; ++k) {
    const T& element = panel[(k / pair * kPanel + i % kPanel) * pair + k % pair];
    out[k] = widen(element);
  }
}

template class PackedMatrix<float>;
template class PackedMatrix<Bf16>;

}  // namespace plaudit::decode
