#include "plaudit/objective/fused_steps.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <type_traits>
#include <vector>

#include "plaudit/core/checks.h"
#include "plaudit/core/parallel.h"
#include "plaudit/model/decode_kernels.h"

namespace plaudit {
namespace {

using decode::StepsFound;

constexpr int64_t kGrain = 16384;  // elements that are worth a thread

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

// kept_t = x_t where the mask is valid, else 0, for n steps; false with NaN or infinity among them.
template <class Scalar, class Mask>
bool keep(const Scalar* x, const Mask* mask, int64_t n, Scalar* kept) {
  Bits<Scalar> bad = 0;
  for (int64_t t = 0; t < n; ++t) {
    const Scalar given = x[t];  // read in any case, so that the loop has no branch
    const Scalar value = mask[t] != Mask{0} ? given : Scalar{0};
    kept[t] = value;
    bad |= not_finite(value);
  }
  return bad == 0;
}

// f(first, count) for parts of the rows, in parallel; what they found together.
template <class F>
StepsFound for_parts(int64_t rows, int64_t length, const F& f) {
  std::mutex lock;
  StepsFound all;
  parallel_for(0, rows, std::max<int64_t>(1, kGrain / length), [&](int64_t begin, int64_t end) {
    const auto found = f(begin, end - begin);
    const std::lock_guard hold(lock);
    all.any |= found.any;
    all.bad |= found.bad;
    all.hole |= found.hole;
  });
  return all;
}

template <class Scalar>
const auto& kernels_of() {
  if constexpr (sizeof(Scalar) == sizeof(float))
    return decode::kernels().steps.f32;
  else
    return decode::kernels().steps.f64;
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

std::optional<Tensor> returns_of(const Tensor& rewards, const Tensor& mask, double gamma, bool derivative) {
  if (!fits(rewards, rewards, mask) || !is_discount(gamma)) return {};
  const auto out = at::empty_like(rewards);
  StepsFound found;
  with_types(rewards, mask, [&](const auto* r, const auto* m) {
    using Scalar = std::remove_cv_t<std::remove_pointer_t<decltype(r)>>;
    using Mask = std::remove_cv_t<std::remove_pointer_t<decltype(m)>>;
    auto* y = out.template mutable_data_ptr<Scalar>();
    const int64_t length = rewards.size(1);
    found = for_parts(rewards.size(0), length, [&](int64_t first, int64_t count) {
      const int64_t at = first * length;
      const decode::ReturnsTask<Scalar, Mask> task{
          r + at, m + at, count, length, static_cast<Scalar>(gamma), derivative, y + at};
      if constexpr (std::is_same_v<Mask, uint8_t>)
        return kernels_of<Scalar>().returns_u8(task);
      else
        return kernels_of<Scalar>().returns(task);
    });
  });
  return found.any && !found.bad ? std::optional(out) : std::nullopt;
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
    std::vector<char> fine(sums.size());
    const auto total = [](const std::vector<double>& parts) {
      return sum_terms(static_cast<int64_t>(parts.size()), [&](int64_t i) { return parts[size_t(i)]; });
    };
    for_rows([&](size_t row, int64_t at) {
      fine[row] = keep(x + at, mask + at, length, out + at);
      sums[row] = sum_terms(length, [&](int64_t t) { return static_cast<double>(out[at + t]); });
      counts[row] = sum_terms(length, [&](int64_t t) { return mask[at + t] != Mask{0} ? 1.0 : 0.0; });
    });
    const double count = total(counts);
    if (count < 2 || std::count(fine.begin(), fine.end(), 0) > 0) return false;
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
  StepsFound found;
  with_types(rewards, mask, [&](const auto* r, const auto* m) {
    using Scalar = std::remove_cv_t<std::remove_pointer_t<decltype(r)>>;
    using Mask = std::remove_cv_t<std::remove_pointer_t<decltype(m)>>;
    const auto* v = values.const_data_ptr<Scalar>();
    auto* advantages = need_advantages ? out.advantages.template mutable_data_ptr<Scalar>() : nullptr;
    auto* returns = out.returns.template mutable_data_ptr<Scalar>();
    const int64_t length = rewards.size(1);
    found = for_parts(rewards.size(0), length, [&](int64_t first, int64_t count) {
      const int64_t at = first * length;
      const decode::GaeTask<Scalar, Mask> task{r + at,
                                               v + at,
                                               m + at,
                                               count,
                                               length,
                                               static_cast<Scalar>(gamma),
                                               static_cast<Scalar>(gamma * lam),
                                               need_advantages ? advantages + at : nullptr,
                                               returns + at};
      if constexpr (std::is_same_v<Mask, uint8_t>)
        return kernels_of<Scalar>().gae_u8(task);
      else
        return kernels_of<Scalar>().gae(task);
    });
  });
  return found.any && !found.bad && !found.hole ? std::optional(out) : std::nullopt;
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
