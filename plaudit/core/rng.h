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

// The block function: ten rounds of Philox4x32.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class Rng {
 public:
  Rng(uint64_t seed, std::string_view stream);

  // An independent stream below this one, e.g. rng.child("prompt/17").
  Rng child(std::string_view name) const;
  Rng child(int64_t index) const;

  uint64_t next();                                   // 64 random bits
  double uniform();                                  // [0, 1), 53 bits
  double normal();                                   // mean 0, variance 1
  int64_t below(int64_t n);                          // 0..n-1 without bias; n >= 1
  size_t categorical(const float* probs, size_t n);  // index by probability; probs need not sum to one
  std::vector<int64_t> permutation(int64_t n);

  at::Tensor uniform_tensor(at::IntArrayRef sizes, at::ScalarType dtype = at::kFloat);
  at::Tensor normal_tensor(at::IntArrayRef sizes, at::ScalarType dtype = at::kFloat);

  // The state as text "key:counter", and back.
  std::string save() const;
  void restore(const std::string& state);

 private:
  Rng() = default;
  uint64_t key_ = 0;
  uint64_t counter_ = 0;
};

}  // namespace plaudit
