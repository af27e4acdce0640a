// A 64-bit hash (FNV-1a) of a list of texts and numbers, the same on every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace plaudit {

class Fingerprint {
 public:
  void add(std::string_view text) {
    add(static_cast<int64_t>(text.size()));  // so that "ab", "c" differs from "a", "bc"
    for (const char c : text) byte(static_cast<uint8_t>(c));
  }
  void add(int64_t number) {
    for (int i = 0; i < 8; ++i) byte(static_cast<uint8_t>(static_cast<uint64_t>(number) >> (8 * i)));
  }
  uint64_t value() const { return hash_; }

 private:
  void byte(uint8_t b) { hash_ = (hash_ ^ b) * 0x100000001B3ULL; }
  uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace plaudit
