// Arithmetic expressions, parsed once and evaluated in any kind of number. Names are never evaluated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plaudit {

// One step of a stack machine: push a number, or apply an operator to the top of the stack.
struct ArithmeticStep {
  char op = '#';       // '#' push, '+' '-' '*' '/' '^' binary, '~' negate
  std::string number;  // digits with at most one dot, for '#'
};

enum class Arithmetic {
  full,   // + - * / ** with unary minus and decimals; ** is right-associative and binds tighter than a minus
  basic,  // + - * / on unsigned integers
};

// The expression in the order of evaluation; nullopt for anything but a whole expression. Blanks are ignored;
// brackets and signs nest at most 200 deep.
std::optional<std::vector<ArithmeticStep>> parse_arithmetic(std::string_view text, Arithmetic kind);

// The value in f64. Errors: blank text (empty); bad syntax, division by zero or a result that is not finite
// (value).
double calculate(std::string_view expression);

// True when the expression uses exactly the given numbers, as a multiset, with + - * / and brackets, and its
// exact value is `target`. Anything malformed, a division by zero and numbers beyond 38 digits are false.
bool is_game24_solution(const std::vector<int64_t>& numbers, std::string_view expression,
                        int64_t target = 24);

}  // namespace plaudit
