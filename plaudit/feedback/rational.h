// Exact rationals of any length, as far as comparing answers needs them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plaudit {

// A fraction of two decimal digit strings; the sign stands apart.
struct Rational {
  bool negative = false;
  std::string numerator;    // digits, no leading zero; "0" for zero
  std::string denominator;  // digits, no leading zero, not "0"
};

// "[-]12/34" and "[-]1.25" (also ".5", "5."); a '+' may stand for no sign. nullopt for anything else, a zero
// denominator, and more than 1,000 digits.
std::optional<Rational> parse_rational(std::string_view text);

// numerator/denominator from two integers with optional sign.
std::optional<Rational> make_rational(std::string_view numerator, std::string_view denominator);

bool operator==(const Rational& a, const Rational& b);

}  // namespace plaudit
