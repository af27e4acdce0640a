#include "plaudit/objective/fused_steps.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include "plaudit/core/checks.h"
#include "plaudit/core/parallel.h"
#include "plaudit/objective/scan_lanes.h"

namespace plaudit {
namespace {

constexpr int64_t kGrain = 16384;     // elements that are worth a thread
constexpr int64_t kBlockSteps = 128;  // steps of kScanLanes rows that are worked on together, in the cache

template <class Scalar>
using Bits = std::conditional_t<sizeof(Scalar) == 4, uint32_t, uint64_t>;

// All ones where x is NaN or infinite, else 0; integers, so that loops over it become vectors.
template <class Scalar>
inline Bits<Scalar> not_finite(Scalar x) {
  using B = Bits<Scalar>;
  constexpr B exponent = sizeof(Scalar) == 4 ? B{0x7f800000} : static_cast<B>(0x7ff0000000000000);
  B bits;
  std::memcpy(&bits, &x, sizeof(x));
  return (bits & exponent) == exponent ? ~B{0} : B{0};
}

// What the masks and values of some rows were found to be.
template <class Scalar>
struct Found {
  Bits<Scalar> bad = 0, holes = 0, any = 0;

  void add(const Found& other) {
    bad |= other.bad;
    holes |= other.holes;
    any |= other.any;
  }
};

// kept_t = x_t where the mask is valid, else 0, for n steps.
template <class Scalar, class Mask>
void keep(const Scalar* x, const Mask* mask, int64_t n, Scalar* kept, Found<Scalar>& found) {
  Bits<Scalar> bad = 0, any = 0;
  for (int64_t t = 0; t < n; ++t) {
    const Bits<Scalar> ok = mask[t] != Mask{0} ? ~Bits<Scalar>{0} : Bits<Scalar>{0};
    const Scalar value = ok ? x[t] : Scalar{0};
    kept[t] = value;
    bad |= not_finite(value);
    any |= ok;
  }
  found.bad |= bad;
  found.any |= any;
}

// Valid steps after invalid ones among steps 0..n, of which step n exists if `more`.
template <class Scalar, class Mask>
Bits<Scalar> holes_in(const Mask* mask, int64_t n, bool more) {
  Bits<Scalar> holes = 0;
  const int64_t pairs = more ? n : n - 1;
  for (int64_t t = 0; t < pairs; ++t)
    holes |= ((mask[t] == Mask{0}) & (mask[t + 1] != Mask{0})) ? ~Bits<Scalar>{0} : Bits<Scalar>{0};
  return holes;
}

// f(first, lanes, found) for groups of rows, in parallel; what they found together.
template <class Scalar, class F>
Found<Scalar> for_groups(int64_t rows, int64_t length, const F& f) {
  const int64_t groups = (rows + kScanLanes - 1) / kScanLanes;
  std::vector<Found<Scalar>> found(static_cast<size_t>(groups));
  parallel_for(0, groups, std::max<int64_t>(1, kGrain / (kScanLanes * length)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t group = begin; group < end; ++group) {
                   const int64_t first = group * kScanLanes;
                   f(first, std::min(kScanLanes, rows - first), found[static_cast<size_t>(group)]);
                 }
               });
  Found<Scalar> all;
  for (const auto& one : found) all.add(one);
  return all;
}

// f(begin, n) for blocks of steps, the last first.
template <class F>
void for_blocks_from_end(int64_t length, const F& f) {
  for (int64_t end = length; end > 0;) {
    const int64_t n = std::min(end, kBlockSteps);
    f(end - n, n);
    end -= n;
  }
}

// Calls f(scalar, mask) with pointers that tell the types; a mask of yet another type comes as booleans.
template <class F>
void with_types(const Tensor& x, const Tensor& mask, const F& f) {
  const auto given = [&](const auto* elements) {
    using Scalar = std::remove_cv_t<std::remove_pointer_t<decltype(elements)>>;
    if (mask.scalar_type() == x.scalar_type()) return f(elements, mask.const_data_ptr<Scalar>());
    const auto valid = mask.scalar_type() == at::kBool ? mask : mask.ne(0);
    f(elements, reinterpret_cast<const uint8_t*>(valid.const_data_ptr<bool>()));
  };
  if (x.scalar_type() == at::kFloat)
    given(x.const_data_ptr<float>());
  else
    given(x.const_data_ptr<double>());
}

// Tensors [B,T] of one floating type and shape, in memory row after row, and their mask.
bool fits(const Tensor& x, const Tensor& other, const Tensor& mask) {
  const auto plain = [&](const Tensor& t) {
    return values_alone(t) && t.sizes() == x.sizes() && t.is_contiguous();
  };
  return values_alone(x) && x.dim() == 2 && x.numel() > 0 && plain(x) && plain(other) && plain(mask) &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) &&
         other.scalar_type() == x.scalar_type() && !mask.is_complex();
}

bool is_discount(double gamma) {
  return gamma >= 0 && gamma <= 1;
}

template <class Scalar, class Mask>
struct Gae {
  const Scalar *rewards, *values;
  const Mask* mask;
  int64_t length;
  Scalar gamma, decay;
  Scalar *advantages, *returns;  // advantages may be null

  void operator()(int64_t first, int64_t lanes, Found<Scalar>& found) const {
    Scalar delta[kScanLanes * kBlockSteps], value[kScanLanes * (kBlockSteps + 1)];
    Scalar next[kScanLanes] = {}, next_value[kScanLanes] = {};
    for_blocks_from_end(length, [&](int64_t begin, int64_t n) {
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t at = (first + lane) * length + begin;
        Scalar *d = delta + lane * kBlockSteps, *v = value + lane * (kBlockSteps + 1);
        keep(values + at, mask + at, n, v, found);
        keep(rewards + at, mask + at, n, d, found);
        found.holes |= holes_in<Scalar>(mask + at, n, begin + n < length);
        v[n] = next_value[lane];
        next_value[lane] = v[0];
        for (int64_t t = 0; t < n; ++t) d[t] = d[t] + gamma * v[t + 1] - v[t];
      }
      scan_rows(delta, delta, lanes, kBlockSteps, n, next, [this](int64_t, int64_t) { return decay; });
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t at = (first + lane) * length + begin;
        const Scalar *d = delta + lane * kBlockSteps, *v = value + lane * (kBlockSteps + 1);
        if (advantages != nullptr) std::copy(d, d + n, advantages + at);
        for (int64_t t = 0; t < n; ++t) returns[at + t] = d[t] + v[t];
      }
    });
  }
};

// G_t = r_t + gamma G_{t+1}, and with `derivative` instead of it dG_t = G_{t+1} + gamma dG_{t+1}.
template <class Scalar, class Mask>
struct Returns {
  const Scalar* rewards;
  const Mask* mask;
  int64_t length;
  Scalar gamma;
  bool derivative;
  Scalar* out;

  void operator()(int64_t first, int64_t lanes, Found<Scalar>& found) const {
    const auto decay = [this](int64_t, int64_t) { return gamma; };
    constexpr int64_t stride = kBlockSteps + 1;
    Scalar block[kScanLanes * stride], next[kScanLanes] = {}, next_derivative[kScanLanes] = {};
    for_blocks_from_end(length, [&](int64_t begin, int64_t n) {
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t at = (first + lane) * length + begin;
        keep(rewards + at, mask + at, n, block + lane * stride, found);
        block[lane * stride + n] = next[lane];  // G after the block
      }
      scan_rows(block, block, lanes, stride, n, next, decay);
      if (derivative) scan_rows(block + 1, block + 1, lanes, stride, n, next_derivative, decay);
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t at = (first + lane) * length + begin;
        const Scalar* y = block + lane * stride + (derivative ? 1 : 0);
        for (int64_t t = 0; t < n; ++t) out[at + t] = mask[at + t] != Mask{0} ? y[t] : Scalar{0};
      }
    });
  }
};

std::optional<Tensor> returns_of(const Tensor& rewards, const Tensor& mask, double gamma, bool derivative) {
  if (!fits(rewards, rewards, mask) || !is_discount(gamma)) return {};
  const auto out = at::empty_like(rewards);
  bool fine = false;
  with_types(rewards, mask, [&](const auto* r, const auto* m) {
    using Scalar = std::remove_cv_t<std::remove_pointer_t<decltype(r)>>;
    using Mask = std::remove_cv_t<std::remove_pointer_t<decltype(m)>>;
    const auto found =
        for_groups<Scalar>(rewards.size(0), rewards.size(1),
                           Returns<Scalar, Mask>{r, m, rewards.size(1), static_cast<Scalar>(gamma),
                                                 derivative, out.template mutable_data_ptr<Scalar>()});
    fine = found.any && !found.bad;
  });
  return fine ? std::optional(out) : std::nullopt;
}

// The sum of term(t) for t < n, in chains of additions that become vectors.
template <class Term>
double sum_terms(int64_t n, const Term& term) {
  constexpr int64_t kChains = 16;
  double part[kChains] = {};
  int64_t t = 0;
  for (; t + kChains <= n; t += kChains)
    for (int64_t chain = 0; chain < kChains; ++chain) part[chain] += term(t + chain);
  for (; t < n; ++t) part[0] += term(t);
  double total = 0;
  for (const double one : part) total += one;
  return total;
}

template <class Scalar, class Mask>
struct Whiten {
  const Scalar* x;
  const Mask* mask;
  int64_t rows, length;
  Scalar* out;

  // f(row, at) for every row, in parallel.
  template <class F>
  void for_rows(const F& f) const {
    parallel_for(0, rows, std::max<int64_t>(1, kGrain / length), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) f(static_cast<size_t>(row), row * length);
    });
  }

  // False where an argument would be refused. The values under the mask are kept in `out` meanwhile.
  bool operator()(bool shift_mean, double eps) const {
    std::vector<double> sums(static_cast<size_t>(rows)), counts(sums);
    std::vector<Found<Scalar>> found(sums.size());
    const auto total = [](const std::vector<double>& parts) {
      return sum_terms(static_cast<int64_t>(parts.size()), [&](int64_t i) { return parts[size_t(i)]; });
    };
    for_rows([&](size_t row, int64_t at) {
      keep(x + at, mask + at, length, out + at, found[row]);
      sums[row] = sum_terms(length, [&](int64_t t) { return static_cast<double>(out[at + t]); });
      counts[row] = sum_terms(length, [&](int64_t t) { return mask[at + t] != Mask{0} ? 1.0 : 0.0; });
    });
    const double count = total(counts);
    if (count < 2 || std::any_of(found.begin(), found.end(), [](const auto& f) { return f.bad != 0; }))
      return false;
    const auto mean = static_cast<Scalar>(total(sums) / count);
    for_rows([&](size_t row, int64_t at) {
      sums[row] = sum_terms(length, [&](int64_t t) {
        const Scalar centred = mask[at + t] != Mask{0} ? out[at + t] - mean : Scalar{0};
        return static_cast<double>(centred) * static_cast<double>(centred);
      });
    });
    const auto scale = static_cast<Scalar>(1 / std::sqrt(total(sums) / (count - 1) + eps));
    const Scalar shift = shift_mean ? Scalar{0} : mean;
    for_rows([&](size_t, int64_t at) {
      for (int64_t t = at; t < at + length; ++t)
        out[t] = mask[t] != Mask{0} ? (out[t] - mean) * scale + shift : Scalar{0};
    });
    return true;
  }
};

}  // namespace

bool values_alone(const Tensor& t) {
  return readable(t) && !(at::GradMode::is_enabled() && t.requires_grad()) &&
         !t._fw_grad(/*level=*/0).defined();
}

std::optional<FusedAdvantages> fused_gae(const Tensor& rewards, const Tensor& values, const Tensor& mask,
                                         double gamma, double lam, bool need_advantages) {
  if (!fits(rewards, values, mask) || !is_discount(gamma) || !is_discount(lam)) return {};
  const FusedAdvantages out{need_advantages ? at::empty_like(rewards) : Tensor(), at::empty_like(rewards)};
  bool fine = false;
  with_types(rewards, mask, [&](const auto* r, const auto* m) {
    using Scalar = std::remove_cv_t<std::remove_pointer_t<decltype(r)>>;
    using Mask = std::remove_cv_t<std::remove_pointer_t<decltype(m)>>;
    const Gae<Scalar, Mask> gae{
        r,
        values.const_data_ptr<Scalar>(),
        m,
        rewards.size(1),
        static_cast<Scalar>(gamma),
        static_cast<Scalar>(gamma * lam),
        need_advantages ? out.advantages.template mutable_data_ptr<Scalar>() : nullptr,
        out.returns.template mutable_data_ptr<Scalar>()};
    const auto found = for_groups<Scalar>(rewards.size(0), rewards.size(1), gae);
    fine = found.any && !found.bad && !found.holes;
  });
  return fine ? std::optional(out) : std::nullopt;
}

std::optional<Tensor> fused_returns(const Tensor& rewards, const Tensor& mask, double gamma) {
  return returns_of(rewards, mask, gamma, /*derivative=*/false);
}

std::optional<Tensor> fused_returns_derivative(const Tensor& rewards, const Tensor& mask, double gamma) {
  return returns_of(rewards, mask, gamma, /*derivative=*/true);
}

std::optional<Tensor> fused_whiten(const Tensor& x, const Tensor& mask, bool shift_mean, double eps) {
  if (!fits(x, x, mask) || !(eps > 0)) return {};
  const auto out = at::empty_like(x);
  bool fine = false;
  with_types(x, mask, [&](const auto* values, const auto* m) {
    using Scalar = std::remove_cv_t<std::remove_pointer_t<decltype(values)>>;
    using Mask = std::remove_cv_t<std::remove_pointer_t<decltype(m)>>;
    fine = Whiten<Scalar, Mask>{values, m, x.size(0), x.size(1), out.template mutable_data_ptr<Scalar>()}(
        shift_mean, eps);
  });
  return fine ? std::optional(out) : std::nullopt;
}

}  // namespace plaudit
