// Fixed hashes: the same value on every machine, in every version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace plaudit {

// Mixes all bits of `x` (one step of SplitMix64, Steele et al. 2014); a bijection.
uint64_t mix64(uint64_t x);

// A 64-bit hash of bytes: FNV-1a (Fowler, Noll, Vo) whose basis is changed by mix64(start), then mix64. Not
// cryptographic.
uint64_t hash64(std::string_view bytes, uint64_t start = 0);

// CRC-32C (Castagnoli, polynomial 0x1EDC6F41), as iSCSI and TensorFlow records use it.
uint32_t crc32c(std::string_view bytes);

// 16 lower-case hexadecimal digits.
std::string hex64(uint64_t x);

}  // namespace plaudit
