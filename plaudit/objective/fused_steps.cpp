#include "plaudit/objective/fused_steps.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
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

// Whether a thread's share of `bytes` is more than its own cache holds.
bool exceeds_cache(int64_t bytes) {
#ifdef _SC_LEVEL2_CACHE_SIZE
  static const int64_t told = sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
  static const int64_t told = 0;
#endif
  const int64_t cache = told > 0 ? told : 1 << 20;
  return bytes / std::max(1, at::get_num_threads()) > cache;
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

// Whitens rows [rows, length] into `out`; false where an argument would be refused.
template <class Scalar, class Mask>
bool whiten(const Scalar* x, const Mask* mask, int64_t rows, int64_t length, bool shift_mean, double eps,
            Scalar* out) {
  const auto kernels = [] {
    if constexpr (std::is_same_v<Mask, uint8_t>)
      return kernels_of<Scalar>().whiten_u8;
    else
      return kernels_of<Scalar>().whiten;
  }();
  const auto for_rows = [&](const auto& f) {
    parallel_for(0, rows, std::max<int64_t>(1, kGrain / length), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) f(row, row * length);
    });
  };
  std::vector<decode::RowMoments> parts(static_cast<size_t>(rows));
  for_rows([&](int64_t row, int64_t at) {
    parts[static_cast<size_t>(row)] = kernels.moments(x + at, mask + at, length);
  });
  double count = 0, sum = 0, squares = 0;
  for (const auto& part : parts) {
    if (part.bad) return false;
    count += static_cast<double>(part.count);
    sum += static_cast<double>(part.count) * part.mean;
  }
  if (count < 2) return false;
  const double mean = sum / count;
  // About the mean of all: the squares about each row's own, and those of the distance between the two.
  for (const auto& part : parts)
    squares += part.squares + static_cast<double>(part.count) * (part.mean - mean) * (part.mean - mean);
  const double scale = 1 / std::sqrt(squares / (count - 1) + eps);
  for_rows([&](int64_t, int64_t at) {
    kernels.rescale({x + at, mask + at, length, static_cast<Scalar>(mean), static_cast<Scalar>(scale),
                     static_cast<Scalar>(shift_mean ? 0 : mean), out + at});
  });
  return true;
}

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
    // Advantages are read next, to be whitened; returns wait for the loss.
    const bool stream =
        need_advantages &&
        exceeds_cache(rewards.numel() * static_cast<int64_t>(4 * sizeof(Scalar) + sizeof(Mask)));
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
                                               returns + at,
                                               stream};
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
    fine = whiten<Scalar, Mask>(values, m, x.size(0), x.size(1), shift_mean, eps,
                                out.template mutable_data_ptr<Scalar>());
  });
  return fine ? std::optional(out) : std::nullopt;
}

}  // namespace plaudit
