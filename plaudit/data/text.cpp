#include "plaudit/data/text.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace plaudit {
namespace {

bool ascii_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

// White space beyond ASCII, in UTF-8: U+0085, U+00A0, U+1680, U+2000..200A, U+2028, U+2029, U+202F, U+205F,
// U+3000.
constexpr std::array<std::string_view, 19> wide_spaces = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

size_t space_at_start(std::string_view text) {
  if (text.empty()) return 0;
  if (ascii_space(text.front())) return 1;
  for (const auto space : wide_spaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

size_t space_at_end(std::string_view text) {
  if (text.empty()) return 0;
  if (ascii_space(text.back())) return 1;
  for (const auto space : wide_spaces) {
    if (text.ends_with(space)) return space.size();
  }
  return 0;
}

}  // namespace

std::string_view strip(std::string_view text) {
  while (const size_t count = space_at_start(text)) text.remove_prefix(count);
  while (const size_t count = space_at_end(text)) text.remove_suffix(count);
  return text;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  size_t begin = 0, at = 0;
  while (at < text.size()) {
    const size_t space = space_at_start(text.substr(at));
    if (space > 0 && at > begin) found.push_back(text.substr(begin, at - begin));
    at += std::max<size_t>(space, 1);
    if (space > 0) begin = at;
  }
  if (begin < text.size()) found.push_back(text.substr(begin));
  return found;
}

std::string excerpt(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  // A byte 10xxxxxx continues a character.
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return std::string(text.substr(0, bytes)) + "...";
}

}  // namespace plaudit
