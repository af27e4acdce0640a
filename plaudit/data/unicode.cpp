#include "plaudit/data/unicode.h"

#include <utf8proc.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

struct Scan {
  size_t size;  // bytes of the character, or of the invalid part
  bool valid;
  bool truncated;  // invalid only because the text ends here
};

// The bytes that may follow a lead byte: the second byte's range excludes overlong forms, surrogates and code
// points above U+10FFFF; later bytes are 80..BF.
struct LeadByte {
  size_t size;
  uint8_t low, high;
};

LeadByte lead_byte(uint8_t b) {
  if (b >= 0xC2 && b <= 0xDF) return {2, 0x80, 0xBF};
  if (b == 0xE0) return {3, 0xA0, 0xBF};
  if (b == 0xED) return {3, 0x80, 0x9F};
  if (b >= 0xE1 && b <= 0xEF) return {3, 0x80, 0xBF};
  if (b == 0xF0) return {4, 0x90, 0xBF};
  if (b >= 0xF1 && b <= 0xF3) return {4, 0x80, 0xBF};
  if (b == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

Scan scan(std::string_view s, size_t pos) {
  const auto first = static_cast<uint8_t>(s[pos]);
  if (first < 0x80) return {1, true, false};
  const auto lead = lead_byte(first);
  if (lead.size == 0) return {1, false, false};
  for (size_t i = 1; i < lead.size; ++i) {
    if (pos + i == s.size()) return {i, false, true};
    const auto b = static_cast<uint8_t>(s[pos + i]);
    const bool fits = i == 1 ? b >= lead.low && b <= lead.high : b >= 0x80 && b <= 0xBF;
    if (!fits) return {i, false, false};
  }
  return {lead.size, true, false};
}

// Moves `pos` over ASCII, eight bytes at a time.
size_t skip_ascii(std::string_view s, size_t pos) {
  constexpr uint64_t kHighBits = 0x8080808080808080ULL;
  for (; pos + 8 <= s.size(); pos += 8) {
    uint64_t word;
    std::memcpy(&word, s.data() + pos, 8);
    if (word & kHighBits) break;
  }
  while (pos < s.size() && static_cast<uint8_t>(s[pos]) < 0x80) ++pos;
  return pos;
}

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

// White space for Python's str.strip: White_Space and the four information separators.
bool is_python_space(char32_t c) {
  return is_white_space(c) || (c >= 0x1C && c <= 0x1F);
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
  for (size_t pos = skip_ascii(bytes, 0); pos < bytes.size(); pos = skip_ascii(bytes, pos)) {
    const auto part = scan(bytes, pos);
    if (!part.valid) return false;
    pos += part.size;
  }
  return true;
}

std::string repair_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t pos = 0; pos < bytes.size();) {
    const auto part = scan(bytes, pos);
    if (part.valid)
      out.append(bytes, pos, part.size);
    else
      out.append("\xEF\xBF\xBD");
    pos += part.size;
  }
  return out;
}

size_t incomplete_tail(std::string_view bytes) {
  for (size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const auto b = static_cast<uint8_t>(bytes[bytes.size() - back]);
    if ((b & 0xC0) == 0x80) continue;  // a continuation byte: look further back for the lead byte
    return scan(bytes, bytes.size() - back).truncated ? back : 0;
  }
  return 0;
}

char32_t next_code_point(std::string_view text, size_t& pos) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[i])); };
  const auto more = [&](size_t i) { return byte(i) & 0x3F; };
  const char32_t first = byte(pos);
  if (first < 0x80) {
    pos += 1;
    return first;
  }
  if (first < 0xE0) {
    pos += 2;
    return (first & 0x1F) << 6 | more(pos - 1);
  }
  if (first < 0xF0) {
    pos += 3;
    return (first & 0x0F) << 12 | more(pos - 2) << 6 | more(pos - 1);
  }
  pos += 4;
  return (first & 0x07) << 18 | more(pos - 3) << 12 | more(pos - 2) << 6 | more(pos - 1);
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

size_t count_code_points(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return count;
}

std::string normalize(std::string_view text, NormalForm form) {
  if (skip_ascii(text, 0) == text.size()) return std::string(text);  // ASCII is its own normal form
  int options = UTF8PROC_STABLE;
  if (form == NormalForm::nfkc || form == NormalForm::nfkd) options |= UTF8PROC_COMPAT;
  const bool compose = form == NormalForm::nfc || form == NormalForm::nfkc;
  options |= compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                 static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (size < 0) bug("unicode.normalize", utf8proc_errmsg(size));
  return {reinterpret_cast<const char*>(mapped), static_cast<size_t>(size)};
}

void append_lower(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
  } else if (c == 0x130) {  // the only character whose lower case is two: i and a dot above
    out += "i\xCC\x87";
  } else {
    append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

bool is_white_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_number(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
}

bool is_punctuation(char32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
         (c >= 0x7B && c <= 0x7E);
}

bool is_nonspacing_mark(char32_t c) {
  return c >= 0x300 && category(c) == UTF8PROC_CATEGORY_MN;
}

bool is_mark(char32_t c) {
  const auto k = category(c);
  return c >= 0x300 && (k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC || k == UTF8PROC_CATEGORY_ME);
}

bool is_word_character(char32_t c) {
  const auto k = category(c);
  const bool letter = k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
  return letter || is_mark(c) || k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL ||
         k == UTF8PROC_CATEGORY_PC;
}

bool is_control_like(char32_t c) {
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CO;
}

std::string_view strip_left(std::string_view text) {
  for (size_t pos = 0; pos < text.size();) {
    const size_t start = pos;
    if (!is_python_space(next_code_point(text, pos))) return text.substr(start);
  }
  return {};
}

size_t skip_space(std::string_view text, size_t at) {
  return text.size() - strip_left(text.substr(at)).size();
}

std::string_view strip_right(std::string_view text) {
  size_t end = 0;
  for (size_t pos = 0; pos < text.size();) {
    if (!is_python_space(next_code_point(text, pos))) end = pos;
  }
  return text.substr(0, end);
}

}  // namespace plaudit
