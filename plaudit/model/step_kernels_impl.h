// The kernels of step_kernels.h, in the instruction set of the including file (see decode_kernels_impl.h,
// which includes this one).
#pragma once

namespace plaudit::decode {
namespace {

// A block of consecutive steps of one row: 64 bytes of T, the first step in lane 0.
template <class T>
struct Steps;
template <>
struct Steps<float> {
  static constexpr int kLanes = 16;
  typedef float V __attribute__((vector_size(64)));
  typedef float Loose __attribute__((vector_size(64), aligned(4), may_alias));
  typedef int32_t Flags __attribute__((vector_size(64)));
  typedef uint8_t Bytes __attribute__((vector_size(16), aligned(1), may_alias));
  static constexpr int32_t kExponent = 0x7f800000;
  template <int k>
  static PLAUDIT_INLINE V behind(V a, V b) {  // lanes k.. of a, then lanes 0..k-1 of b
    return __builtin_shufflevector(a, b, k, k + 1, k + 2, k + 3, k + 4, k + 5, k + 6, k + 7, k + 8, k + 9,
                                   k + 10, k + 11, k + 12, k + 13, k + 14, k + 15);
  }
  static PLAUDIT_INLINE V splat_of(float s) { return V{s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s}; }
};
template <>
struct Steps<double> {
  static constexpr int kLanes = 8;
  typedef double V __attribute__((vector_size(64)));
  typedef double Loose __attribute__((vector_size(64), aligned(8), may_alias));
  typedef int64_t Flags __attribute__((vector_size(64)));
  typedef uint8_t Bytes __attribute__((vector_size(8), aligned(1), may_alias));
  static constexpr int64_t kExponent = 0x7ff0000000000000;
  template <int k>
  static PLAUDIT_INLINE V behind(V a, V b) {
    return __builtin_shufflevector(a, b, k, k + 1, k + 2, k + 3, k + 4, k + 5, k + 6, k + 7);
  }
  static PLAUDIT_INLINE V splat_of(double s) { return V{s, s, s, s, s, s, s, s}; }
};

// Calls f(at, part) for the blocks of a row from the last to the first; of the last, the first `part` lanes
// are steps.
template <class T, class F>
PLAUDIT_INLINE void blocks_from_end(int64_t length, const F& f) {
  constexpr int64_t lanes = Steps<T>::kLanes;
  const int64_t part = length % lanes;
  if (part > 0) f(length - part, part);
  for (int64_t at = length - part - lanes; at >= 0; at -= lanes) f(at, lanes);
}

// `part` steps, 0 in the other lanes.
template <class T>
PLAUDIT_INLINE typename Steps<T>::V load_steps(const T* p, int64_t part) {
  using S = Steps<T>;
  if (part == S::kLanes) return *reinterpret_cast<const typename S::Loose*>(p);
  typename S::V v{};
  for (int64_t i = 0; i < part; ++i) v[i] = p[i];
  return v;
}

template <class T>
PLAUDIT_INLINE void save_steps(T* p, typename Steps<T>::V v, int64_t part) {
  using S = Steps<T>;
  if (part == S::kLanes) {
    *reinterpret_cast<typename S::Loose*>(p) = v;
    return;
  }
  for (int64_t i = 0; i < part; ++i) p[i] = v[i];
}

// A whole block to an address that its size divides; past the cache where the compiler has a word for that.
template <class T>
PLAUDIT_INLINE void stream_steps(T* p, typename Steps<T>::V v) {
  auto* to = reinterpret_cast<typename Steps<T>::V*>(p);
#if defined(__clang__)
  __builtin_nontemporal_store(v, to);
#else
  *to = v;
#endif
}

// Where the same steps of the next row are, to be fetched meanwhile: the processor looks ahead within a page
// only, and a row is a page or more.
template <class Task>
PLAUDIT_INLINE int64_t to_next_row(const Task& task, int64_t row) {
  return row + 1 < task.rows ? task.length : 0;
}

// All ones in the lanes of valid steps.
template <class T>
PLAUDIT_INLINE typename Steps<T>::Flags load_mask(const T* p, int64_t part) {
  return load_steps(p, part) != Steps<T>::splat_of(T{0});
}
template <class T>
PLAUDIT_INLINE typename Steps<T>::Flags load_mask(const uint8_t* p, int64_t part) {
  using S = Steps<T>;
  typename S::Flags ok{};
  if (part == S::kLanes)
    return __builtin_convertvector(*reinterpret_cast<const typename S::Bytes*>(p), typename S::Flags) != 0;
  for (int64_t i = 0; i < part; ++i) ok[i] = p[i] != 0 ? -1 : 0;
  return ok;
}

template <class T>
PLAUDIT_INLINE typename Steps<T>::V keep(typename Steps<T>::V v, typename Steps<T>::Flags ok) {
  using S = Steps<T>;
  return ok ? v : typename S::V{};
}

template <class T>
PLAUDIT_INLINE typename Steps<T>::Flags not_finite(typename Steps<T>::V v) {
  using S = Steps<T>;
  const auto exponent = reinterpret_cast<typename S::Flags>(v) & S::kExponent;
  return exponent == typename S::Flags{} + S::kExponent;
}

template <class Flags>
PLAUDIT_INLINE bool any_of(Flags flags) {
  bool any = false;
  for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); ++i) any |= flags[i] != 0;
  return any;
}

// One block of the recursion, by doubling: each lane takes in the one behind it, then two, four, eight. Then
// what follows the block comes in by the powers of the decay.
template <class T>
class EvenDecay {
  using S = Steps<T>;
  using V = typename S::V;

 public:
  explicit EvenDecay(T decay) {
    T power = decay;
    for (int k = 0; k < 4; ++k, power *= power) doubled_[k] = power;
    power = decay;
    for (int lane = S::kLanes - 1; lane >= 0; --lane, power *= decay) behind_[lane] = power;
  }
  // `next` is y after the block and becomes its first.
  PLAUDIT_INLINE V operator()(V x, T& next) const {
    V y = x + S::splat_of(doubled_[0]) * S::template behind<1>(x, V{});
    y += S::splat_of(doubled_[1]) * S::template behind<2>(y, V{});
    y += S::splat_of(doubled_[2]) * S::template behind<4>(y, V{});
    if constexpr (S::kLanes > 8) y += S::splat_of(doubled_[3]) * S::template behind<8>(y, V{});
    y += behind_ * S::splat_of(next);
    next = y[0];
    return y;
  }

 private:
  T doubled_[4];
  V behind_;
};

template <class T>
PLAUDIT_INLINE typename Steps<T>::V scan_block(typename Steps<T>::V x, typename Steps<T>::V d, T& next) {
  using S = Steps<T>;
  const auto one = S::splat_of(T{1});
  auto y = x + d * S::template behind<1>(x, typename S::V{});
  d *= S::template behind<1>(d, one);
  y += d * S::template behind<2>(y, typename S::V{});
  d *= S::template behind<2>(d, one);
  y += d * S::template behind<4>(y, typename S::V{});
  d *= S::template behind<4>(d, one);
  if constexpr (S::kLanes > 8) {
    y += d * S::template behind<8>(y, typename S::V{});
    d *= S::template behind<8>(d, one);
  }
  y += d * S::splat_of(next);
  next = y[0];
  return y;
}

template <class T>
void scan(const ScanTask<T>& task) {
  const EvenDecay<T> even(task.decay);
  for (int64_t row = 0; row < task.rows; ++row) {
    const int64_t start = row * task.length, ahead = to_next_row(task, row);
    T next = 0;
    blocks_from_end<T>(task.length, [&](int64_t at, int64_t part) PLAUDIT_INLINED {
      const int64_t here = start + at;
      __builtin_prefetch(task.x + here + ahead);
      const auto x = load_steps(task.x + here, part);
      if (task.decays == nullptr) return save_steps(task.y + here, even(x, next), part);
      __builtin_prefetch(task.decays + here + ahead);
      save_steps(task.y + here, scan_block<T>(x, load_steps(task.decays + here, part), next), part);
    });
  }
}

// How many steps of a row are valid; `hole` is set unless they are its first.
template <class T, class M>
PLAUDIT_INLINE int64_t valid_steps(const M* mask, int64_t length, bool& hole) {
  using S = Steps<T>;
  constexpr int64_t lanes = S::kLanes;
  int64_t at = 0;  // behind steps that are all valid
  for (; at + 4 * lanes <= length; at += 4 * lanes) {
    const auto first = load_mask<T>(mask + at, lanes) & load_mask<T>(mask + at + lanes, lanes);
    const auto second =
        load_mask<T>(mask + at + 2 * lanes, lanes) & load_mask<T>(mask + at + 3 * lanes, lanes);
    if (any_of(~(first & second))) break;
  }
  int64_t count = at, end = at;
  if (at + lanes <= length) {
    typename S::Flags counts{}, last{}, number{};
    for (int64_t lane = 0; lane < lanes; ++lane) number[lane] = at + lane + 1;
    for (; at + lanes <= length; at += lanes, number += lanes) {
      const auto ok = load_mask<T>(mask + at, lanes);
      counts -= ok;
      last = ok ? number : last;
    }
    for (int64_t lane = 0; lane < lanes; ++lane) {
      count += counts[lane];
      end = last[lane] > end ? last[lane] : end;
    }
  }
  for (; at < length; ++at)
    if (mask[at] != 0) ++count, end = at + 1;
  hole |= count != end;
  return count;
}

template <class T>
PLAUDIT_INLINE bool finite_one(T x) {
  return x - x == T{0};
}

template <class T, class M>
StepsFound gae(const GaeTask<T, M>& task) {
  using S = Steps<T>;
  const EvenDecay<T> even(task.decay);
  const auto gamma = S::splat_of(task.gamma);
  const bool stream = task.stream_returns && task.length % S::kLanes == 0 &&
                      reinterpret_cast<uintptr_t>(task.returns) % sizeof(typename S::V) == 0;
  StepsFound found;
  for (int64_t row = 0; row < task.rows; ++row) {
    const int64_t start = row * task.length, ahead = to_next_row(task, row);
    const int64_t valid = valid_steps<T>(task.mask + start, task.length, found.hole);
    found.any |= valid > 0;
    for (int64_t t = start + valid; t < start + task.length; ++t) {
      if (task.advantages != nullptr) task.advantages[t] = 0;
      task.returns[t] = 0;
    }
    T next = 0;
    typename S::V later{};  // values of the block behind
    blocks_from_end<T>(valid, [&](int64_t at, int64_t part) PLAUDIT_INLINED {
      const int64_t here = start + at;
      __builtin_prefetch(task.rewards + here + ahead);
      __builtin_prefetch(task.values + here + ahead);
      __builtin_prefetch(task.mask + here + ahead);
      const auto r = load_steps(task.rewards + here, part), v = load_steps(task.values + here, part);
      const auto y = even(r + gamma * S::template behind<1>(v, later) - v, next);
      later = v;
      if (task.advantages != nullptr) save_steps(task.advantages + here, y, part);
      if (stream && part == S::kLanes) return stream_steps(task.returns + here, y + v);
      save_steps(task.returns + here, y + v, part);
    });
    found.bad |= !finite_one(next);  // NaN and infinity stay in the recursion to its end
  }
  if (stream) __atomic_thread_fence(__ATOMIC_SEQ_CST);  // for whoever is told next that they are there
  return found;
}

template <class T, class M>
StepsFound returns(const ReturnsTask<T, M>& task) {
  using S = Steps<T>;
  const EvenDecay<T> even(task.gamma);
  typename S::Flags any{};
  bool bad = false;
  for (int64_t row = 0; row < task.rows; ++row) {
    const int64_t start = row * task.length, ahead = to_next_row(task, row);
    T next = 0, next_derivative = 0;
    typename S::V later{};
    blocks_from_end<T>(task.length, [&](int64_t at, int64_t part) PLAUDIT_INLINED {
      const int64_t here = start + at;
      __builtin_prefetch(task.rewards + here + ahead);
      __builtin_prefetch(task.mask + here + ahead);
      const auto ok = load_mask<T>(task.mask + here, part);
      any |= ok;
      auto y = even(keep<T>(load_steps(task.rewards + here, part), ok), next);
      if (task.derivative) {
        const auto g = y;
        y = even(S::template behind<1>(g, later), next_derivative);
        later = g;
      }
      save_steps(task.y + here, keep<T>(y, ok), part);
    });
    bad |= !finite_one(next);
  }
  return {any_of(any), bad, false};
}

template <class T>
PLAUDIT_INLINE double sum_of(typename Steps<T>::V v) {
  double total = 0;
  for (int lane = 0; lane < Steps<T>::kLanes; ++lane) total += static_cast<double>(v[lane]);
  return total;
}

template <class T, class M>
RowMoments moments(const T* x, const M* mask, int64_t n) {
  using S = Steps<T>;
  typename S::V sum{};
  typename S::Flags count{}, bad{};
  blocks_from_end<T>(n, [&](int64_t at, int64_t part) PLAUDIT_INLINED {
    const auto ok = load_mask<T>(mask + at, part);
    const auto v = keep<T>(load_steps(x + at, part), ok);
    sum += v;
    count -= ok;
    bad |= not_finite<T>(v);
  });
  RowMoments out;
  for (int lane = 0; lane < S::kLanes; ++lane) out.count += count[lane];
  out.bad = any_of(bad);
  if (out.count == 0) return out;
  out.mean = sum_of<T>(sum) / static_cast<double>(out.count);
  const T mean = static_cast<T>(out.mean);
  typename S::V squares{};
  blocks_from_end<T>(n, [&](int64_t at, int64_t part) PLAUDIT_INLINED {
    const auto d = keep<T>(load_steps(x + at, part) - S::splat_of(mean), load_mask<T>(mask + at, part));
    squares += d * d;
  });
  out.squares = sum_of<T>(squares);
  return out;
}

template <class T, class M>
void rescale(const RescaleTask<T, M>& task) {
  using S = Steps<T>;
  const auto mean = S::splat_of(task.mean), scale = S::splat_of(task.scale), shift = S::splat_of(task.shift);
  blocks_from_end<T>(task.n, [&](int64_t at, int64_t part) PLAUDIT_INLINED {
    const auto y = (load_steps(task.x + at, part) - mean) * scale + shift;
    save_steps(task.y + at, keep<T>(y, load_mask<T>(task.mask + at, part)), part);
  });
}

template <class T>
constexpr StepKernelsOf<T> steps_of() {
  return {&scan<T>,
          &gae<T, T>,
          &gae<T, uint8_t>,
          &returns<T, T>,
          &returns<T, uint8_t>,
          {&moments<T, T>, &rescale<T, T>},
          {&moments<T, uint8_t>, &rescale<T, uint8_t>}};
}

constexpr StepKernels step_table() {
  return {steps_of<float>(), steps_of<double>()};
}

}  // namespace
}  // namespace plaudit::decode
