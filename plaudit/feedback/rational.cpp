#include "plaudit/feedback/rational.h"

#include <algorithm>
#include <vector>

namespace plaudit {
namespace {

constexpr size_t kMaxDigits = 1000;

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string without_leading_zeros(std::string_view digits) {
  const auto first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? "0" : std::string(digits.substr(first));
}

// Takes an optional sign off the front; true for '-'.
bool take_sign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  return negative;
}

// The product of two digit strings, by the school method.
std::string multiply(const std::string& a, const std::string& b) {
  std::vector<int> digits(a.size() + b.size(), 0);
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      const int sum = digits[i + j + 1] + (a[i] - '0') * (b[j] - '0');
      digits[i + j + 1] = sum % 10;
      digits[i + j] += sum / 10;
    }
  }
  std::string product;
  for (const int d : digits) product.push_back(static_cast<char>('0' + d));
  return without_leading_zeros(product);
}

std::optional<Rational> of_digits(bool negative, std::string_view numerator, std::string_view denominator) {
  if (!is_digits(numerator) || !is_digits(denominator)) return std::nullopt;
  if (numerator.size() > kMaxDigits || denominator.size() > kMaxDigits) return std::nullopt;
  Rational r{negative, without_leading_zeros(numerator), without_leading_zeros(denominator)};
  if (r.denominator == "0") return std::nullopt;
  if (r.numerator == "0") r.negative = false;
  return r;
}

}  // namespace

std::optional<Rational> make_rational(std::string_view numerator, std::string_view denominator) {
  const bool a = take_sign(numerator), b = take_sign(denominator);
  return of_digits(a != b, numerator, denominator);
}

std::optional<Rational> parse_rational(std::string_view text) {
  if (const auto slash = text.find('/'); slash != std::string_view::npos)
    return make_rational(text.substr(0, slash), text.substr(slash + 1));
  const bool negative = take_sign(text);
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return of_digits(negative, text, "1");
  const auto fraction = text.substr(dot + 1);
  return of_digits(negative, std::string(text.substr(0, dot)).append(fraction),
                   "1" + std::string(fraction.size(), '0'));
}

bool operator==(const Rational& a, const Rational& b) {
  return a.negative == b.negative &&
         multiply(a.numerator, b.denominator) == multiply(b.numerator, a.denominator);
}

}  // namespace plaudit
