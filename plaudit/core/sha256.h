// SHA-256 (FIPS 180-4), to check files against the digest that their maker published.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace plaudit {

class Sha256 {
 public:
  void update(const void* bytes, size_t count);
  // The digest as 64 lower-case hexadecimal digits. Call once; nothing may be added after it.
  std::string hex();

 private:
  void compress(const uint8_t* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending_{};
  uint64_t count_ = 0;  // bytes so far
};

}  // namespace plaudit
