// A running hash of texts and numbers, the same on every machine.
#pragma once

#include <cstdint>
#include <string_view>

#include "plaudit/core/hash.h"

namespace plaudit {

class Fingerprint {
 public:
  void add(std::string_view text) { value_ = hash64(text, value_); }
  void add(int64_t number) { value_ = mix64(value_ ^ mix64(static_cast<uint64_t>(number))); }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0;
};

}  // namespace plaudit
