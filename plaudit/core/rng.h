// A counter-based random generator (Philox4x32-10, Salmon et al. 2011) whose streams are named.
//
// A stream is a pure function of (seed, name): adding a stream, a rank or a thread never shifts another one.
// The state is the counter alone, so it is saved as two numbers and restored exactly.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace plaudit {

// One block of Philox4x32-10: a bijection of the 128-bit counter for every 64-bit key.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// The key of a stream is a fixed hash (core/hash.h) of seed and name; draw number i is half i%2 of the block
// with counter i/2. Not safe to share between threads; a copy continues from the same state.
class Rng {
 public:
  Rng(uint64_t seed, std::string_view stream);

  // An independent stream below this one, e.g. rng.child("prompt/17").
  Rng child(std::string_view name) const;
  Rng child(int64_t index) const;

  uint64_t next();           // 64 random bits
  double uniform();          // [0, 1), 53 bits
  double normal();           // mean 0, variance 1
  int64_t below(int64_t n);  // 0..n-1 without bias; n >= 1
  // Index by probability; probs need not sum to one. UserError (nan, value) when they are not finite,
  // negative or all zero.
  size_t categorical(const float* probs, size_t n);
  std::vector<int64_t> permutation(int64_t n);

  // CPU tensors of a floating type, the same for every number of threads. f64 has 53 random bits an element,
  // f32 has 24, and half types are rounded from f32 (so that a uniform one can be 1).
  at::Tensor uniform_tensor(at::IntArrayRef sizes, at::ScalarType dtype = at::kFloat);
  at::Tensor normal_tensor(at::IntArrayRef sizes, at::ScalarType dtype = at::kFloat);

  // The state as text "key:counter" in hexadecimal, and back; UserError (value) when it is not one.
  std::string save() const;
  void restore(const std::string& state);

 private:
  Rng() = default;
  uint64_t key_ = 0;
  uint64_t counter_ = 0;
};

}  // namespace plaudit
