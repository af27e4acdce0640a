#include "plaudit/core/hash.h"

#include <fmt/format.h>

#include <array>

namespace plaudit {

uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

uint64_t hash64(std::string_view bytes, uint64_t start) {
  uint64_t hash = 0xcbf29ce484222325ULL ^ mix64(start);
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3ULL;
  return mix64(hash);
}

namespace {

// Row of the bytewise CRC table, with the polynomial bit-reversed.
constexpr uint32_t crc_row(uint32_t value) {
  for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0x82f63b78u : 0u);
  return value;
}

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) table[i] = crc_row(i);
  return table;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = crc_table();
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<uint8_t>(byte)) & 0xff];
  return ~crc;
}

std::string hex64(uint64_t x) {
  return fmt::format("{:016x}", x);
}

}  // namespace plaudit
