#include "plaudit/data/byte_level.h"

#include <array>
#include <charconv>
#include <cstdint>

#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

struct Table {
  std::array<char32_t, 256> character;
  std::array<int16_t, 0x180> byte;  // -1 where the character stands for no byte

  Table() {
    byte.fill(-1);
    char32_t next = 0x100;  // bytes that do not print get the characters from here on, in order
    for (int b = 0; b < 256; ++b) {
      const bool prints = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xFF && b != 0xAD);
      character[b] = prints ? static_cast<char32_t>(b) : next++;
      byte[character[b]] = static_cast<int16_t>(b);
    }
  }
};

const Table& table() {
  static const Table t;
  return t;
}

}  // namespace

std::optional<std::string> bytes_of_characters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t pos = 0; pos < text.size();) {
    const char32_t c = next_code_point(text, pos);
    if (c >= table().byte.size() || table().byte[c] < 0) return std::nullopt;
    out.push_back(static_cast<char>(table().byte[c]));
  }
  return out;
}

std::string characters_of_bytes(std::string_view bytes) {
  std::string out;
  for (const char b : bytes) append_utf8(out, table().character[static_cast<uint8_t>(b)]);
  return out;
}

int byte_of_token(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token.back() != '>') return -1;
  int value = 0;
  const auto end = token.data() + 5;
  const auto parsed = std::from_chars(token.data() + 3, end, value, 16);
  return parsed.ec == std::errc() && parsed.ptr == end ? value : -1;
}

}  // namespace plaudit
