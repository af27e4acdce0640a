#include "plaudit/feedback/letters.h"

#include <utf8proc.h>

#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

// Small letters whose upper case is more than one letter, so that the one-to-one mapping leaves them alone
// (SpecialCasing.txt of Unicode).
bool grows_in_upper_case(char32_t c) {
  switch (c) {
    case 0x00DF:
    case 0x0149:
    case 0x01F0:
    case 0x0390:
    case 0x03B0:
    case 0x0587:
      return true;
    default:
      return (c >= 0x1E96 && c <= 0x1E9A) || (c >= 0xFB00 && c <= 0xFB06) || (c >= 0xFB13 && c <= 0xFB17) ||
             c == 0x1F50 || c == 0x1F52 || c == 0x1F54 || c == 0x1F56;
  }
}

char32_t upper(char32_t c) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}

}  // namespace

bool is_letter(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return true;
    default:
      return false;
  }
}

std::string lower_case(std::string_view text) {
  const auto valid = repair_utf8(text);
  std::string lower;
  for (size_t pos = 0; pos < valid.size();) append_lower(lower, next_code_point(valid, pos));
  return lower;
}

bool is_upper_case(std::string_view text) {
  const auto valid = repair_utf8(text);
  for (size_t pos = 0; pos < valid.size();) {
    const auto c = next_code_point(valid, pos);
    if (upper(c) != c || grows_in_upper_case(c)) return false;
  }
  return true;
}

bool is_lower_case(std::string_view text) {
  return lower_case(text) == repair_utf8(text);
}

}  // namespace plaudit
