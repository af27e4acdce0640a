#include "plaudit/core/rng.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <numeric>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

// FNV-1a over the bytes of a name, finished by splitmix64 so that near names give unrelated keys.
uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

uint64_t hash_name(uint64_t start, std::string_view name) {
  uint64_t hash = start ^ 0xCBF29CE484222325ull;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return mix(hash);
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Rng::Rng(uint64_t seed, std::string_view stream) : key_(hash_name(mix(seed), stream)) {}

Rng Rng::child(std::string_view name) const {
  Rng rng;
  rng.key_ = hash_name(key_, name);
  return rng;
}

Rng Rng::child(int64_t index) const {
  return child(fmt::format("#{}", index));
}

uint64_t Rng::next() {
  // One block of Philox holds two 64-bit numbers: the counter's lowest bit picks one.
  const uint64_t block = counter_ >> 1;
  const auto words = philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0},
                            {static_cast<uint32_t>(key_), static_cast<uint32_t>(key_ >> 32)});
  const size_t half = (counter_++ & 1) * 2;
  return (uint64_t{words[half + 1]} << 32) | words[half];
}

double Rng::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

double Rng::normal() {
  // Box-Muller; the second value is not kept, so that the state stays one counter.
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

int64_t Rng::below(int64_t n) {
  if (n < 1) bug("Rng::below", fmt::format("n must be >= 1, got {}", n));
  const auto range = static_cast<uint64_t>(n);
  // Values under 2^64 mod n would make the low results too frequent: draw again.
  const uint64_t threshold = (0 - range) % range;
  uint64_t bits = next();
  while (bits < threshold) bits = next();
  return static_cast<int64_t>(bits % range);
}

size_t Rng::categorical(const float* probs, size_t n) {
  const double total = std::accumulate(probs, probs + n, 0.0);
  if (!(total > 0) || !std::isfinite(total))
    bug("Rng::categorical", fmt::format("probabilities sum to {}", total));
  double left = uniform() * total;
  size_t last = 0;
  for (size_t i = 0; i < n; ++i) {
    if (probs[i] <= 0) continue;
    last = i;
    left -= probs[i];
    if (left < 0) return i;
  }
  return last;  // rounding left a sliver
}

std::vector<int64_t> Rng::permutation(int64_t n) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = n - 1; i > 0; --i)
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(below(i + 1))]);
  return order;
}

at::Tensor Rng::uniform_tensor(at::IntArrayRef sizes, at::ScalarType dtype) {
  const auto out = at::empty(sizes, at::kDouble);
  auto* data = out.mutable_data_ptr<double>();
  for (int64_t i = 0; i < out.numel(); ++i) data[i] = uniform();
  return out.to(dtype);
}

at::Tensor Rng::normal_tensor(at::IntArrayRef sizes, at::ScalarType dtype) {
  const auto out = at::empty(sizes, at::kDouble);
  auto* data = out.mutable_data_ptr<double>();
  for (int64_t i = 0; i < out.numel(); ++i) data[i] = normal();
  return out.to(dtype);
}

std::string Rng::save() const {
  return fmt::format("{:016x}:{:016x}", key_, counter_);
}

void Rng::restore(const std::string& state) {
  const auto parse = [&](size_t begin) {
    uint64_t value = 0;
    const char* first = state.data() + begin;
    const auto [end, error] = std::from_chars(first, first + 16, value, 16);
    if (error != std::errc{} || end != first + 16)
      fail(ErrorKind::value, "random state", "expected 'key:counter' in hexadecimal, got '" + state + "'");
    return value;
  };
  if (state.size() != 33 || state[16] != ':')
    fail(ErrorKind::value, "random state", "expected 'key:counter' in hexadecimal, got '" + state + "'");
  key_ = parse(0);
  counter_ = parse(17);
}

}  // namespace plaudit
