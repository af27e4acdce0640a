#include "plaudit/feedback/arithmetic.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/data/text.h"

namespace plaudit {
namespace {

constexpr int kMaxDepth = 200;

// Recursive descent: sum = product (+|- product)*, product = factor (*|/ factor)*, factor = - factor | power,
// power = atom [** factor].
class Parser {
 public:
  Parser(std::string_view text, Arithmetic kind) : text_(text), kind_(kind) {}

  bool parse(std::vector<ArithmeticStep>& steps) {
    steps_ = &steps;
    return sum() && peek() == '\0' && at_ == text_.size();
  }

 private:
  char peek() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool is_power() { return text_.substr(at_).starts_with("**"); }

  void emit(char op) { steps_->push_back({op, ""}); }

  bool sum() {
    if (!product()) return false;
    for (char op = peek(); op == '+' || op == '-'; op = peek()) {
      ++at_;
      if (!product()) return false;
      emit(op);
    }
    return true;
  }

  bool product() {
    if (!factor()) return false;
    for (char op = peek(); (op == '*' && !is_power()) || op == '/'; op = peek()) {
      ++at_;
      if (!factor()) return false;
      emit(op);
    }
    return true;
  }

  bool factor() {
    if (++depth_ > kMaxDepth) return false;
    const bool ok = signed_power();
    --depth_;
    return ok;
  }

  bool signed_power() {
    if (kind_ == Arithmetic::full && peek() == '-') {
      ++at_;
      if (!factor()) return false;
      emit('~');
      return true;
    }
    if (!atom()) return false;
    if (kind_ == Arithmetic::full && peek() == '*' && is_power()) {
      at_ += 2;
      if (!factor()) return false;
      emit('^');
    }
    return true;
  }

  bool atom() {
    if (peek() == '(') {
      ++at_;
      if (!sum() || peek() != ')') return false;
      ++at_;
      return true;
    }
    const auto start = at_;
    bool digit = false, dot = false;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] >= '0' && text_[at_] <= '9') {
        digit = true;
      } else if (text_[at_] == '.' && !dot && kind_ == Arithmetic::full) {
        dot = true;
      } else {
        break;
      }
    }
    if (!digit) return false;
    steps_->push_back({'#', std::string(text_.substr(start, at_ - start))});
    return true;
  }

  std::string_view text_;
  Arithmetic kind_;
  size_t at_ = 0;
  int depth_ = 0;
  std::vector<ArithmeticStep>* steps_ = nullptr;
};

double apply(char op, double a, double b) {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b == 0 ? NAN : a / b;
    default:
      return std::pow(a, b);
  }
}

using Wide = __int128;

Wide gcd(Wide a, Wide b) {
  while (b != 0) {
    const Wide rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

// A reduced fraction; every operation is false on overflow or division by zero.
struct Fraction {
  Wide top = 0, bottom = 1;

  bool set(Wide a, Wide b) {
    const Wide divisor = gcd(a, b);
    if (b == 0 || divisor == 0) return false;
    top = a / divisor;
    bottom = b / divisor;
    return true;
  }
};

bool apply(char op, const Fraction& a, const Fraction& b, Fraction& out) {
  Wide left = 0, right = 0, top = 0, bottom = 0;
  if (op == '*' || op == '/') {
    const Wide x = op == '*' ? b.top : b.bottom, y = op == '*' ? b.bottom : b.top;
    return !__builtin_mul_overflow(a.top, x, &top) && !__builtin_mul_overflow(a.bottom, y, &bottom) &&
           out.set(top, bottom);
  }
  if (__builtin_mul_overflow(a.top, b.bottom, &left) || __builtin_mul_overflow(b.top, a.bottom, &right) ||
      __builtin_mul_overflow(a.bottom, b.bottom, &bottom))
    return false;
  const bool overflow =
      op == '+' ? __builtin_add_overflow(left, right, &top) : __builtin_sub_overflow(left, right, &top);
  return !overflow && out.set(top, bottom);
}

// The exact value of steps without '~' and '^'.
bool evaluate_exactly(const std::vector<ArithmeticStep>& steps, Fraction& value) {
  std::vector<Fraction> stack;
  for (const auto& step : steps) {
    if (step.op == '#') {
      int64_t n = 0;
      const auto end = step.number.data() + step.number.size();
      if (std::from_chars(step.number.data(), end, n).ec != std::errc{}) return false;
      stack.push_back({n, 1});
      continue;
    }
    const auto b = stack.back();
    stack.pop_back();
    if (!apply(step.op, Fraction(stack.back()), b, stack.back())) return false;
  }
  value = stack.back();
  return true;
}

}  // namespace

std::optional<std::vector<ArithmeticStep>> parse_arithmetic(std::string_view text, Arithmetic kind) {
  std::vector<ArithmeticStep> steps;
  if (!Parser(text, kind).parse(steps)) return std::nullopt;
  return steps;
}

double calculate(std::string_view expression) {
  const Check check("verify.calculator");
  if (strip(expression).empty()) check.refuse(ErrorKind::empty, "expression", "is empty");
  const auto steps = parse_arithmetic(expression, Arithmetic::full);
  if (!steps) check.refuse(ErrorKind::value, "expression", "is no arithmetic: '" + excerpt(expression) + "'");
  std::vector<double> stack;
  for (const auto& step : *steps) {
    if (step.op == '#') {
      stack.push_back(std::strtod(step.number.c_str(), nullptr));
    } else if (step.op == '~') {
      stack.back() = -stack.back();
    } else {
      const double b = stack.back();
      stack.pop_back();
      stack.back() = apply(step.op, stack.back(), b);
    }
    if (!std::isfinite(stack.back()))
      check.refuse(ErrorKind::value, "expression",
                   "divides by zero or leaves the finite numbers: '" + excerpt(expression) + "'");
  }
  return stack.back();
}

bool is_game24_solution(const std::vector<int64_t>& numbers, std::string_view expression, int64_t target) {
  if (expression.find_first_not_of("0123456789+-*/() ") != std::string_view::npos) return false;
  const auto steps = parse_arithmetic(expression, Arithmetic::basic);
  if (!steps) return false;
  std::vector<int64_t> used;
  for (const auto& step : *steps) {
    int64_t n = 0;
    if (step.op != '#') continue;
    if (std::from_chars(step.number.data(), step.number.data() + step.number.size(), n).ec != std::errc{})
      return false;
    used.push_back(n);
  }
  auto given = numbers;
  std::sort(given.begin(), given.end());
  std::sort(used.begin(), used.end());
  Fraction value;
  Wide wanted = 0;
  return used == given && evaluate_exactly(*steps, value) &&
         !__builtin_mul_overflow(Wide{target}, value.bottom, &wanted) && value.top == wanted;
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("calculator(str expression) -> (float value)",
        [](const std::string& expression) { return calculate(expression); },
        "The value of an arithmetic expression; never evaluates names.", {"31"});
  m.def("game24(int[] numbers, str expression, int target=24) -> (bool correct)",
        [](at::IntArrayRef numbers, const std::string& expression, int64_t target) {
          return is_game24_solution(numbers.vec(), expression, target);
        },
        "Whether an expression makes 24 from exactly the given numbers.", {"57"});
}

}  // namespace plaudit
