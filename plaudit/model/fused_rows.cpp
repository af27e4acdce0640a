#include "plaudit/model/fused_rows.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/checks.h"
#include "plaudit/core/parallel.h"

namespace plaudit {
namespace {

using decode::Act;
using decode::Bf16;
using decode::KernelSet;

constexpr int64_t kGrain = 16384;   // elements that are worth a thread
constexpr int64_t kBlock = 4096;    // elements of a call of a gate
constexpr int64_t kBlockRows = 64;  // rows whose weight gradients are summed together

// Calls f with a float or a Bf16.
template <class F>
void with_type(at::ScalarType type, const F& f) {
  if (type == at::kFloat)
    f(float{});
  else
    f(Bf16{});
}

template <class T>
const T* elements(const Tensor& t) {
  return t.defined() ? static_cast<const T*>(t.const_data_ptr()) : nullptr;
}

template <class T>
T* mutable_elements(const Tensor& t) {
  return t.defined() ? static_cast<T*>(t.mutable_data_ptr()) : nullptr;
}

template <class T>
T* at_offset(T* p, int64_t offset) {
  return p == nullptr ? nullptr : p + offset;
}

template <class X, class Y>
const auto& rms_kernels(const KernelSet& set) {
  constexpr bool wide_x = sizeof(X) == sizeof(float), wide_y = sizeof(Y) == sizeof(float);
  if constexpr (wide_x && wide_y)
    return set.rows.rms_f32;
  else if constexpr (wide_x)
    return set.rows.rms_f32_bf16;
  else if constexpr (wide_y)
    return set.rows.rms_bf16_f32;
  else
    return set.rows.rms_bf16;
}

template <class T>
const auto& gate_kernels(const KernelSet& set) {
  if constexpr (sizeof(T) == sizeof(float))
    return set.rows.gate_f32;
  else
    return set.rows.gate_bf16;
}

template <class T>
const auto& logps_kernels(const KernelSet& set) {
  if constexpr (sizeof(T) == sizeof(float))
    return set.rows.logps_f32;
  else
    return set.rows.logps_bf16;
}

// f(first, count) over blocks of n elements that are the same whatever the number of threads.
template <class F>
void for_blocks(int64_t n, const F& f) {
  parallel_for(0, (n + kBlock - 1) / kBlock, kGrain / kBlock, [&](int64_t begin, int64_t end) {
    f(begin * kBlock, std::min(end * kBlock, n) - begin * kBlock);
  });
}

// The sum over the rows, one after another.
Tensor sum_rows(const Tensor& parts) {
  const auto total = at::zeros({parts.size(1)}, parts.options());
  const auto* from = parts.const_data_ptr<float>();
  auto* to = total.mutable_data_ptr<float>();
  for (int64_t r = 0; r < parts.size(0); ++r)
    for (int64_t i = 0; i < parts.size(1); ++i) to[i] += from[r * parts.size(1) + i];
  return total;
}

}  // namespace

decode::Act act_of(Activation activation) {
  switch (activation) {
    case Activation::silu:
      return Act::silu;
    case Activation::gelu:
      return Act::gelu;
    case Activation::gelu_tanh:
      return Act::gelu_tanh;
    case Activation::quick_gelu:
      return Act::quick_gelu;
  }
  bug("model.fused_rows", "unknown activation");
}

bool has_fused_rows(const Tensor& t) {
  return readable(t) && is_fused_type(t.scalar_type());
}

Tensor fused_rms_norm(const Tensor& x, const Tensor& weight, double eps, at::ScalarType out, Tensor& rstd,
                      const KernelSet& set) {
  const auto rows = x.contiguous(), scale = weight.contiguous();
  const int64_t width = x.size(1);
  const auto y = at::empty(x.sizes(), x.options().dtype(out));
  rstd = at::empty({x.size(0), 1}, x.options().dtype(at::kFloat));
  with_type(x.scalar_type(), [&](auto x_type) {
    with_type(out, [&](auto y_type) {
      using X = decltype(x_type);
      using Y = decltype(y_type);
      parallel_for(0, x.size(0), kGrain / std::max<int64_t>(width, 1), [&](int64_t begin, int64_t end) {
        rms_kernels<X, Y>(set).forward({elements<X>(rows) + begin * width, end - begin, width,
                                        elements<float>(scale), static_cast<float>(eps),
                                        mutable_elements<Y>(y) + begin * width,
                                        mutable_elements<float>(rstd) + begin});
      });
    });
  });
  return y;
}

std::pair<Tensor, Tensor> fused_rms_norm_backward(const Tensor& grad, const Tensor& x, const Tensor& weight,
                                                  const Tensor& rstd, bool need_weight,
                                                  const KernelSet& set) {
  const auto grads = grad.contiguous(), rows = x.contiguous(), scale = weight.contiguous();
  const int64_t n = x.size(0), width = x.size(1), blocks = (n + kBlockRows - 1) / kBlockRows;
  const auto dx = at::empty(x.sizes(), x.options());
  const auto parts = need_weight ? at::zeros({blocks, width}, scale.options()) : Tensor();
  const auto grain = kGrain / std::max<int64_t>(width * kBlockRows, 1);
  with_type(x.scalar_type(), [&](auto x_type) {
    with_type(grad.scalar_type(), [&](auto y_type) {
      using X = decltype(x_type);
      using Y = decltype(y_type);
      parallel_for(0, blocks, grain, [&](int64_t begin, int64_t end) {
        for (int64_t block = begin; block < end; ++block) {
          const int64_t first = block * kBlockRows, count = std::min(kBlockRows, n - first);
          rms_kernels<X, Y>(set).backward(
              {elements<Y>(grads) + first * width, elements<X>(rows) + first * width, count, width,
               elements<float>(scale), elements<float>(rstd) + first, mutable_elements<X>(dx) + first * width,
               at_offset(mutable_elements<float>(parts), block * width)});
        }
      });
    });
  });
  return {dx, need_weight ? sum_rows(parts) : Tensor()};
}

Tensor fused_gate(const Tensor& gate, const Tensor& up, Activation activation, const KernelSet& set) {
  const auto gates = gate.contiguous(), ups = up.defined() ? up.contiguous() : up;
  const auto y = at::empty(gate.sizes(), gate.options());
  with_type(gate.scalar_type(), [&](auto type) {
    using T = decltype(type);
    for_blocks(gate.numel(), [&](int64_t first, int64_t count) {
      gate_kernels<T>(set).forward({elements<T>(gates) + first, at_offset(elements<T>(ups), first), count,
                                    act_of(activation), mutable_elements<T>(y) + first});
    });
  });
  return y;
}

std::pair<Tensor, Tensor> fused_gate_backward(const Tensor& grad, const Tensor& gate, const Tensor& up,
                                              Activation activation, const KernelSet& set) {
  const auto grads = grad.contiguous(), gates = gate.contiguous(), ups = up.defined() ? up.contiguous() : up;
  const auto dgate = at::empty(gate.sizes(), gate.options());
  const auto dup = up.defined() ? at::empty(up.sizes(), up.options()) : Tensor();
  with_type(gate.scalar_type(), [&](auto type) {
    using T = decltype(type);
    for_blocks(gate.numel(), [&](int64_t first, int64_t count) {
      gate_kernels<T>(set).backward({elements<T>(grads) + first, elements<T>(gates) + first,
                                     at_offset(elements<T>(ups), first), count, act_of(activation),
                                     mutable_elements<T>(dgate) + first,
                                     at_offset(mutable_elements<T>(dup), first)});
    });
  });
  return {dgate, dup};
}

LogpRows fused_logps(const Tensor& logits, const Tensor& targets, double temperature, const KernelSet& set) {
  const auto z = logits.contiguous(), chosen = targets.contiguous();
  const int64_t vocab = z.size(1);
  const auto empty = [&] { return at::empty({z.size(0)}, z.options().dtype(at::kFloat)); };
  LogpRows out{empty(), empty(), empty()};
  with_type(z.scalar_type(), [&](auto type) {
    using T = decltype(type);
    parallel_for(0, z.size(0), 1 + kGrain / std::max<int64_t>(vocab, 1), [&](int64_t begin, int64_t end) {
      logps_kernels<T>(set).forward(
          {elements<T>(z) + begin * vocab, end - begin, vocab, elements<int64_t>(chosen) + begin,
           static_cast<float>(1 / temperature), mutable_elements<float>(out.chosen) + begin,
           mutable_elements<float>(out.entropy) + begin, mutable_elements<float>(out.lse) + begin});
    });
  });
  return out;
}

void fused_logps_backward(const Tensor& logits, const Tensor& targets, double temperature,
                          const Tensor& entropy, const Tensor& lse, const LogpGradients& grads,
                          const KernelSet& set) {
  const auto chosen = targets.contiguous();
  const int64_t vocab = logits.size(1);
  const auto plain = [](const Tensor& t) { return t.defined() ? t.to(at::kFloat).contiguous() : t; };
  const auto of_rows = plain(lse), of_rows_entropy = plain(entropy), of_logps = plain(grads.logps),
             of_entropy = plain(grads.entropy), of_lse = plain(grads.lse);
  with_type(logits.scalar_type(), [&](auto type) {
    using T = decltype(type);
    parallel_for(0, logits.size(0), 1 + kGrain / std::max<int64_t>(vocab, 1),
                 [&](int64_t begin, int64_t end) {
                   logps_kernels<T>(set).backward(
                       {mutable_elements<T>(logits) + begin * vocab, end - begin, vocab,
                        elements<int64_t>(chosen) + begin, static_cast<float>(1 / temperature),
                        elements<float>(of_rows) + begin, elements<float>(of_rows_entropy) + begin,
                        elements<float>(of_logps) + begin, at_offset(elements<float>(of_entropy), begin),
                        at_offset(elements<float>(of_lse), begin)});
                 });
  });
}

}  // namespace plaudit
