#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <vector>

#include "plaudit/data/html_entities.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

struct Entity {
  std::string text;
  bool bare = false;  // counts without a semicolon
};

const std::map<std::string_view, Entity>& entities() {
  static const auto names = [] {
    std::map<std::string_view, Entity> out;
    auto table = html_entity_table();
    for (size_t end = table.find(' '); end != std::string_view::npos; end = table.find(' ')) {
      const auto entry = table.substr(0, end);
      const size_t sign = entry.find_first_of(":!");
      Entity entity{"", entry[sign] == '!'};
      for (const char* at = entry.data() + sign; at != entry.data() + entry.size();) {
        uint32_t code = 0;
        at = std::from_chars(at + 1, entry.data() + entry.size(), code, 16).ptr;
        append_utf8(entity.text, code);
      }
      out.emplace(entry.substr(0, sign), std::move(entity));
      table.remove_prefix(end + 1);
    }
    return out;
  }();
  return names;
}

// What Windows-1252 has at 0x80 to 0x9F; 0 where nothing.
constexpr std::array<char32_t, 32> kWindows = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

bool is_noncharacter(uint64_t code) {
  const bool control =
      (code >= 1 && code <= 8) || code == 0xB || (code >= 0xE && code <= 0x1F) || code == 0x7F;
  return control || (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
}

std::string of_number(std::string_view digits, int base) {
  uint64_t code = 0;
  for (const char c : digits) {
    int digit = 0;
    std::from_chars(&c, &c + 1, digit, base);
    code = std::min<uint64_t>(code * static_cast<uint64_t>(base) + static_cast<uint64_t>(digit), 0x110000);
  }
  std::string out;
  if (code == 0 || code >= 0x110000 || (code >= 0xD800 && code < 0xE000)) {
    append_utf8(out, 0xFFFD);
  } else if (code >= 0x80 && code < 0xA0) {
    const auto meant = kWindows[code - 0x80];
    append_utf8(out, meant != 0 ? meant : static_cast<char32_t>(code));
  } else if (!is_noncharacter(code)) {
    append_utf8(out, static_cast<char32_t>(code));
  }
  return out;
}

// The reference "#..." that `rest` begins with, and its length; 0: none.
std::string numeric_reference(std::string_view rest, size_t& length) {
  const bool hex = rest.size() > 1 && (rest[1] == 'x' || rest[1] == 'X');
  const std::string_view allowed = hex ? "0123456789abcdefABCDEF" : "0123456789";
  const size_t begin = hex ? 2 : 1;
  size_t end = rest.find_first_not_of(allowed, begin);
  if (end == std::string_view::npos) end = rest.size();
  if (end == begin) return "";
  length = end + (end < rest.size() && rest[end] == ';' ? 1 : 0);
  return of_number(rest.substr(begin, end - begin), hex ? 16 : 10);
}

constexpr size_t kLongestName = 32;  // in characters

std::string named_reference(std::string_view rest, size_t& length) {
  size_t end = 0;
  for (size_t count = 0; count < kLongestName && end < rest.size(); ++count) {
    if (std::string_view("\t\n\f <&#;").find(rest[end]) != std::string_view::npos) break;
    next_code_point(rest, end);
  }
  const auto& names = entities();
  if (end < rest.size() && rest[end] == ';') {
    if (const auto found = names.find(rest.substr(0, end)); found != names.end()) {
      length = end + 1;
      return found->second.text;
    }
  }
  for (size_t size = end; size >= 2; --size) {
    const auto found = names.find(rest.substr(0, size));
    if (found == names.end() || !found->second.bare) continue;
    length = size;
    return found->second.text;
  }
  return "";
}

}  // namespace

std::string unescape_html(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    std::string meant;
    if (text[at] == '&' && at + 1 < text.size()) {
      const auto rest = text.substr(at + 1);
      meant = rest[0] == '#' ? numeric_reference(rest, length) : named_reference(rest, length);
    }
    if (length > 0)
      out += meant;
    else
      out.push_back(text[at]);
    at += length > 0 ? length + 1 : 1;
  }
  return out;
}

}  // namespace plaudit
