// The kernels of row_kernels.h, in the instruction set of the including file (see decode_kernels_impl.h,
// which includes this one).
#pragma once

#define PLAUDIT_INLINED __attribute__((always_inline))

namespace plaudit::decode {
namespace {

PLAUDIT_INLINE V widened(const float* p) {
  return load(p);
}
PLAUDIT_INLINE V widened(const Bf16* p) {
  const auto bits = __builtin_convertvector(*reinterpret_cast<const LooseH*>(p), U);
  return reinterpret_cast<V>(bits << 16);
}
// The first n <= 16 elements, then zeros.
template <class T>
PLAUDIT_INLINE V widened_some(const T* p, int64_t n) {
  if (n >= 16) return widened(p);
  V v{};
  for (int64_t i = 0; i < n; ++i) v[i] = widened_one(p[i]);
  return v;
}

// f(i, left) at every 16th position i of n.
template <class F>
PLAUDIT_INLINE void for_vectors(int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) f(i, 16);
  if (i < n) f(i, n - i);
}

// The sum of term(i, left) over those positions, in four chains of additions.
template <class F>
PLAUDIT_INLINE float sum_vectors(int64_t n, const F& term) {
  V part[4] = {};
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
#pragma GCC unroll 4
    for (int64_t chain = 0; chain < 4; ++chain) part[chain] += term(i + 16 * chain, 16);
  }
  for (; i < n; i += 16) part[0] += term(i, n - i);
  return sum((part[0] + part[1]) + (part[2] + part[3]));
}

template <class X, class Y>
void rms_forward(const RmsTask<X, Y>& task) {
  const int64_t n = task.width;
  for (int64_t r = 0; r < task.rows; ++r) {
    const X* x = task.x + r * n;
    Y* y = task.y + r * n;
    const float squares = sum_vectors(n, [&](int64_t i, int64_t left) PLAUDIT_INLINED {
      const V v = widened_some(x + i, left);
      return v * v;
    });
    const float rstd = 1 / __builtin_sqrtf(squares / static_cast<float>(n) + task.eps);
    task.rstd[r] = rstd;
    for_vectors(n, [&](int64_t i, int64_t left) PLAUDIT_INLINED {
      save_some(y + i, widened_some(x + i, left) * splat(rstd) * load_some(task.weight + i, left), left);
    });
  }
}

// With n = x r and g = grad * weight: dx = r (g - n mean(g n)).
template <class X, class Y>
void rms_backward(const RmsBackwardTask<X, Y>& task) {
  const int64_t n = task.width;
  for (int64_t r = 0; r < task.rows; ++r) {
    const X* x = task.x + r * n;
    const Y* grad = task.grad + r * n;
    X* dx = task.dx + r * n;
    const V rstd = splat(task.rstd[r]);
    const float products = sum_vectors(n, [&](int64_t i, int64_t left) PLAUDIT_INLINED {
      const V g = widened_some(grad + i, left) * load_some(task.weight + i, left);
      return g * (widened_some(x + i, left) * rstd);
    });
    const V mean = splat(products / static_cast<float>(n));
    for_vectors(n, [&](int64_t i, int64_t left) PLAUDIT_INLINED {
      const V d = widened_some(grad + i, left), normed = widened_some(x + i, left) * rstd;
      save_some(dx + i, (d * load_some(task.weight + i, left) - normed * mean) * rstd, left);
      if (task.dweight != nullptr)
        save_some(task.dweight + i, load_some(task.dweight + i, left) + d * normed, left);
    });
  }
}

// Every activation is x times a share of it between 0 and 1.
struct Share {
  V value, slope;
};

PLAUDIT_INLINE Share logistic_share(V w, V slope) {
  const V s = splat(1.0f) / (splat(1.0f) + vexp(-w));
  return {s, s * (splat(1.0f) - s) * slope};
}

template <Act act>
PLAUDIT_INLINE Share share(V x) {
  if constexpr (act == Act::silu) return logistic_share(x, splat(1.0f));
  if constexpr (act == Act::quick_gelu) return logistic_share(splat(1.702f) * x, splat(1.702f));
  if constexpr (act == Act::gelu_tanh) {
    // (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)) with 2u = x (a + b x^2).
    const V a = splat(1.5957691f), b = splat(0.071354814f), square = x * x;
    return logistic_share(x * (a + b * square), a + splat(3.0f) * b * square);
  }
  if constexpr (act == Act::gelu) {
    const V density = splat(0.39894228f) * vexp(splat(-0.5f) * x * x);
    return {normal_cdf(x), density};
  }
}

template <Act act, class T>
void gate_forward_of(const GateTask<T>& task) {
  const int64_t n = task.n;
  for_vectors(n, [&](int64_t i, int64_t left) PLAUDIT_INLINED {
    const V x = widened_some(task.gate + i, left);
    V y = x * share<act>(x).value;
    if (task.up != nullptr) y *= widened_some(task.up + i, left);
    save_some(task.y + i, y, left);
  });
}

// With s the share: d(x s) / dx = s + x s'.
template <Act act, class T>
void gate_backward_of(const GateBackwardTask<T>& task) {
  const int64_t n = task.n;
  for_vectors(n, [&](int64_t i, int64_t left) PLAUDIT_INLINED {
    const V x = widened_some(task.gate + i, left);
    V grad = widened_some(task.grad + i, left);
    const auto s = share<act>(x);
    if (task.up != nullptr) {
      save_some(task.dup + i, grad * (x * s.value), left);
      grad *= widened_some(task.up + i, left);
    }
    save_some(task.dgate + i, grad * (s.value + x * s.slope), left);
  });
}

template <class T>
void gate_forward(const GateTask<T>& task) {
  switch (task.act) {
    case Act::silu:
      return gate_forward_of<Act::silu>(task);
    case Act::gelu:
      return gate_forward_of<Act::gelu>(task);
    case Act::gelu_tanh:
      return gate_forward_of<Act::gelu_tanh>(task);
    case Act::quick_gelu:
      return gate_forward_of<Act::quick_gelu>(task);
    case Act::none:
      return;
  }
}

template <class T>
void gate_backward(const GateBackwardTask<T>& task) {
  switch (task.act) {
    case Act::silu:
      return gate_backward_of<Act::silu>(task);
    case Act::gelu:
      return gate_backward_of<Act::gelu>(task);
    case Act::gelu_tanh:
      return gate_backward_of<Act::gelu_tanh>(task);
    case Act::quick_gelu:
      return gate_backward_of<Act::quick_gelu>(task);
    case Act::none:
      return;
  }
}

// The first n <= 16 elements, then minus infinity.
template <class T>
PLAUDIT_INLINE V widened_or_never(const T* p, int64_t n) {
  if (n >= 16) return widened(p);
  V v = splat(-__builtin_inff());
  for (int64_t i = 0; i < n; ++i) v[i] = widened_one(p[i]);
  return v;
}

template <class T>
PLAUDIT_INLINE float largest_of(const T* p, int64_t n) {
  V top[4];
  for (auto& v : top) v = splat(-__builtin_inff());
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
#pragma GCC unroll 4
    for (int64_t chain = 0; chain < 4; ++chain) top[chain] = vmax(top[chain], widened(p + i + 16 * chain));
  }
  for (; i < n; i += 16) top[0] = vmax(top[0], widened_or_never(p + i, n - i));
  const V all = vmax(vmax(top[0], top[1]), vmax(top[2], top[3]));
  return greatest(all, all[0]);
}

// So that a token that cannot be drawn, whose probability is 0, adds 0 and not 0 times infinity.
PLAUDIT_INLINE V bounded_log(V x) {
  return x < splat(-1e4f) ? splat(-1e4f) : x;
}

// With d = z - max, S = sum exp d and U = sum d exp d: lse = max + log S, entropy = log S - U/S.
template <class T>
void logps_forward(const LogpsTask<T>& task) {
  const int64_t n = task.vocab;
  const V scale = splat(task.inverse_temperature);
  for (int64_t r = 0; r < task.rows; ++r) {
    const T* z = task.logits + r * n;
    const int64_t target = task.targets[r];
    task.chosen[r] = target >= 0 && target < n ? widened_one(z[target]) * task.inverse_temperature : 0;
    const float largest = largest_of(z, n) * task.inverse_temperature;
    if (largest == -__builtin_inff()) {  // no token of these can be drawn
      task.lse[r] = largest;
      task.entropy[r] = 0;
      continue;
    }
    V sums[4] = {}, products[4] = {};
    const auto add = [&](int64_t chain, V x) PLAUDIT_INLINED {
      const V d = bounded_log(x * scale - splat(largest)), e = vexp(d);
      sums[chain] += e;
      products[chain] += e * d;
    };
    int64_t i = 0;
    for (; i + 64 <= n; i += 64) {
#pragma GCC unroll 4
      for (int64_t chain = 0; chain < 4; ++chain) add(chain, widened(z + i + 16 * chain));
    }
    for (; i < n; i += 16) add(0, widened_or_never(z + i, n - i));
    const float s = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
    const float u = sum((products[0] + products[1]) + (products[2] + products[3]));
    const float log_s = __builtin_logf(s);
    task.lse[r] = largest + log_s;
    task.entropy[r] = log_s - u / s;
  }
}

// d log p_t = 1[t] - p, d entropy = -p (log p + entropy), d lse = p.
template <class T>
void logps_backward(const LogpsBackwardTask<T>& task) {
  const int64_t n = task.vocab;
  const V scale = splat(task.inverse_temperature);
  for (int64_t r = 0; r < task.rows; ++r) {
    T* z = task.logits + r * n;
    const float of_logps = task.grad_logps[r];
    const V of_p = splat((task.grad_lse == nullptr ? 0 : task.grad_lse[r]) - of_logps);
    const V of_entropy = splat(task.grad_entropy == nullptr ? 0 : task.grad_entropy[r]);
    const V lse = splat(task.lse[r]), entropy = splat(task.entropy[r]);
    const auto derivative = [&](V x) PLAUDIT_INLINED {
      const V log_p = bounded_log(x * scale - lse), p = vexp(log_p);
      return p * (of_p - of_entropy * (log_p + entropy));
    };
    T* target = task.targets[r] >= 0 && task.targets[r] < n ? z + task.targets[r] : nullptr;
    const float at_target = target == nullptr ? 0
                                              : (derivative(splat(widened_one(*target)))[0] + of_logps) *
                                                    task.inverse_temperature;
    for_vectors(n, [&](int64_t i, int64_t left) PLAUDIT_INLINED {
      save_some(z + i, derivative(widened_some(z + i, left)) * scale, left);
    });
    if (target != nullptr) save_one(target, at_target);
  }
}

constexpr RowKernels row_table() {
  return {{&rms_forward<float, float>, &rms_backward<float, float>},
          {&rms_forward<float, Bf16>, &rms_backward<float, Bf16>},
          {&rms_forward<Bf16, float>, &rms_backward<Bf16, float>},
          {&rms_forward<Bf16, Bf16>, &rms_backward<Bf16, Bf16>},
          {&gate_forward<float>, &gate_backward<float>},
          {&gate_forward<Bf16>, &gate_backward<Bf16>},
          {&logps_forward<float>, &logps_backward<float>},
          {&logps_forward<Bf16>, &logps_backward<Bf16>}};
}

}  // namespace
}  // namespace plaudit::decode
