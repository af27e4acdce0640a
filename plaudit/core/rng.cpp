#include "plaudit/core/rng.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <numbers>
#include <numeric>

#include "plaudit/core/errors.h"
#include "plaudit/core/hash.h"
#include "plaudit/core/parallel.h"

namespace plaudit {
namespace {

struct Draws {
  uint64_t first, second;
};

// Draws 2*block and 2*block + 1 of the stream with this key.
Draws draw_block(uint64_t key, uint64_t block) {
  const auto low = [](uint64_t x) { return static_cast<uint32_t>(x); };
  const auto high = [](uint64_t x) { return static_cast<uint32_t>(x >> 32); };
  const auto r = philox({low(block), high(block), 0, 0}, {low(key), high(key)});
  return {(uint64_t{r[1]} << 32) | r[0], (uint64_t{r[3]} << 32) | r[2]};
}

// [0, 1) with as many bits as the type holds exactly, so that rounding never gives 1.
template <class T>
T to_unit(uint64_t bits) {
  if constexpr (std::is_same_v<T, float>)
    return static_cast<float>(bits >> 40) * 0x1p-24f;
  else
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

// Two independent normal variates from two draws (Box and Muller 1958); 1 - u keeps the logarithm finite.
std::pair<double, double> to_normals(Draws draws) {
  const double radius = std::sqrt(-2 * std::log(1 - to_unit<double>(draws.first)));
  const double angle = 2 * std::numbers::pi * to_unit<double>(draws.second);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

template <class T>
void fill_uniform(T* out, int64_t n, uint64_t key, uint64_t first_block) {
  parallel_for(0, (n + 1) / 2, 1 << 13, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Draws draws = draw_block(key, first_block + static_cast<uint64_t>(i));
      out[2 * i] = to_unit<T>(draws.first);
      if (2 * i + 1 < n) out[2 * i + 1] = to_unit<T>(draws.second);
    }
  });
}

template <class T>
void fill_normal(T* out, int64_t n, uint64_t key, uint64_t first_block) {
  parallel_for(0, (n + 1) / 2, 1 << 12, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto [a, b] = to_normals(draw_block(key, first_block + static_cast<uint64_t>(i)));
      out[2 * i] = static_cast<T>(a);
      if (2 * i + 1 < n) out[2 * i + 1] = static_cast<T>(b);
    }
  });
}

void check_floating(const char* function, at::ScalarType dtype) {
  if (!at::isFloatingType(dtype))
    fail(ErrorKind::type, function,
         fmt::format("dtype must be a floating type, got {}", c10::toString(dtype)));
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(a)};
    k = {k[0] + 0x9E3779B9u, k[1] + 0xBB67AE85u};
  }
  return c;
}

Rng::Rng(uint64_t seed, std::string_view stream) : key_(hash64(stream, seed)) {}

Rng Rng::child(std::string_view name) const {
  Rng out;
  out.key_ = hash64(name, key_);
  return out;
}

Rng Rng::child(int64_t index) const {
  return child(fmt::format("#{}", index));
}

uint64_t Rng::next() {
  const Draws draws = draw_block(key_, counter_ / 2);
  return counter_++ % 2 ? draws.second : draws.first;
}

double Rng::uniform() {
  return to_unit<double>(next());
}

double Rng::normal() {
  const uint64_t first = next();
  return to_normals({first, next()}).first;
}

// Multiply and reject (Lemire 2019): the high word of bits * n is uniform once the low words that would be
// hit once too often are drawn again.
int64_t Rng::below(int64_t n) {
  if (n < 1) fail(ErrorKind::value, "rng.below", fmt::format("n must be >= 1, got {}", n));
  const auto range = static_cast<uint64_t>(n);
  const uint64_t surplus = (0 - range) % range;
  while (true) {
    const auto product = static_cast<unsigned __int128>(next()) * range;
    if (static_cast<uint64_t>(product) >= surplus) return static_cast<int64_t>(product >> 64);
  }
}

size_t Rng::categorical(const float* probs, size_t n) {
  double total = 0;
  size_t last = n;
  for (size_t i = 0; i < n; ++i) {
    if (!std::isfinite(probs[i]))
      fail(ErrorKind::nan, "rng.categorical", fmt::format("probs[{}] must be finite, got {}", i, probs[i]));
    if (probs[i] < 0)
      fail(ErrorKind::value, "rng.categorical", fmt::format("probs[{}] must be >= 0, got {}", i, probs[i]));
    total += probs[i];
    if (probs[i] > 0) last = i;
  }
  if (last == n) fail(ErrorKind::value, "rng.categorical", "probs must hold one that is > 0");
  double left = uniform() * total;
  for (size_t i = 0; i < last; ++i) {
    left -= probs[i];
    if (left < 0) return i;
  }
  return last;
}

std::vector<int64_t> Rng::permutation(int64_t n) {
  if (n < 0) fail(ErrorKind::value, "rng.permutation", fmt::format("n must be >= 0, got {}", n));
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = n - 1; i > 0; --i)
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(below(i + 1))]);
  return order;
}

at::Tensor Rng::uniform_tensor(at::IntArrayRef sizes, at::ScalarType dtype) {
  check_floating("rng.uniform_tensor", dtype);
  const bool wide = dtype == at::kDouble;
  const auto out = at::empty(sizes, wide ? at::kDouble : at::kFloat);
  counter_ += counter_ % 2;  // whole blocks
  if (wide)
    fill_uniform(out.mutable_data_ptr<double>(), out.numel(), key_, counter_ / 2);
  else
    fill_uniform(out.mutable_data_ptr<float>(), out.numel(), key_, counter_ / 2);
  counter_ += static_cast<uint64_t>(out.numel() + out.numel() % 2);
  return out.to(dtype);
}

at::Tensor Rng::normal_tensor(at::IntArrayRef sizes, at::ScalarType dtype) {
  check_floating("rng.normal_tensor", dtype);
  const bool wide = dtype == at::kDouble;
  const auto out = at::empty(sizes, wide ? at::kDouble : at::kFloat);
  counter_ += counter_ % 2;  // whole blocks
  if (wide)
    fill_normal(out.mutable_data_ptr<double>(), out.numel(), key_, counter_ / 2);
  else
    fill_normal(out.mutable_data_ptr<float>(), out.numel(), key_, counter_ / 2);
  counter_ += static_cast<uint64_t>(out.numel() + out.numel() % 2);
  return out.to(dtype);
}

std::string Rng::save() const {
  return hex64(key_) + ":" + hex64(counter_);
}

void Rng::restore(const std::string& state) {
  const auto parse = [&](size_t begin) {
    uint64_t value = 0;
    const char* first = state.data() + begin;
    const auto [end, error] = std::from_chars(first, first + 16, value, 16);
    if (error != std::errc{} || end != first + 16)
      fail(ErrorKind::value, "rng.restore",
           "state must be 'key:counter' in hexadecimal, got '" + state + "'");
    return value;
  };
  if (state.size() != 33 || state[16] != ':')
    fail(ErrorKind::value, "rng.restore", "state must be 'key:counter' in hexadecimal, got '" + state + "'");
  const uint64_t key = parse(0);
  counter_ = parse(17);
  key_ = key;
}

}  // namespace plaudit
