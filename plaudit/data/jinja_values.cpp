#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/data/jinja_functions.h"
#include "plaudit/data/unicode.h"

namespace plaudit::jinja {
namespace {

// The characters of a text, each as a text of its own.
std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> out;
  for (size_t pos = 0; pos < text.size();) {
    const size_t begin = pos;
    next_code_point(text, pos);
    out.push_back(text.substr(begin, pos - begin));
  }
  return out;
}

bool is_number_like(const Json& value) {
  return value.is_number() || value.is_boolean();
}

double to_number(const Json& value) {
  return value.is_boolean() ? value.get<bool>() : value.get<double>();
}

int64_t to_integer(const Json& value) {
  return value.is_boolean() ? static_cast<int64_t>(value.get<bool>()) : value.get<int64_t>();
}

bool contains(const Json& container, const Json& item, int line) {
  if (container.is_string() && item.is_string())
    return container.get_ref<const std::string&>().find(item.get_ref<const std::string&>()) !=
           std::string::npos;
  if (container.is_array()) return std::find(container.begin(), container.end(), item) != container.end();
  if (container.is_object()) return item.is_string() && container.contains(item.get<std::string>());
  refuse(line, "cannot look for " + type_of(item) + " in " + type_of(container));
}

bool compare(const std::string& op, const Json& left, const Json& right, int line) {
  const bool numbers = is_number_like(left) && is_number_like(right);
  if (!numbers && !(left.is_string() && right.is_string()))
    refuse(line, "cannot compare " + type_of(left) + " with " + type_of(right));
  const auto order = [&](const auto& a, const auto& b) {
    if (op == "<") return a < b;
    if (op == ">") return a > b;
    if (op == "<=") return a <= b;
    return a >= b;
  };
  return numbers ? order(to_number(left), to_number(right))
                 : order(left.get_ref<const std::string&>(), right.get_ref<const std::string&>());
}

Json integer_arithmetic(const std::string& op, int64_t a, int64_t b, int line) {
  int64_t out = 0;
  bool overflows = false;
  if (op == "+") overflows = __builtin_add_overflow(a, b, &out);
  if (op == "-") overflows = __builtin_sub_overflow(a, b, &out);
  if (op == "*") overflows = __builtin_mul_overflow(a, b, &out);
  if (op == "//" || op == "%") {
    if (b == 0) refuse(line, "divides by zero");
    if (b == -1) return integer_arithmetic(op == "%" ? "*" : "-", 0, op == "%" ? 0 : a, line);
    const int64_t remainder = a % b + (a % b != 0 && (a % b < 0) != (b < 0) ? b : 0);  // the sign of b
    out = op == "%" ? remainder : (a - remainder) / b;
  }
  if (overflows) refuse(line, fmt::format("{} {} {} is too large", a, op, b));
  return out;
}

Json arithmetic(const std::string& op, const Json& left, const Json& right, int line) {
  if (op == "+" && left.is_string() && right.is_string())
    return left.get<std::string>() + right.get<std::string>();
  if (op == "+" && left.is_array() && right.is_array()) {
    Json out = left;
    for (const auto& value : right) out.push_back(value);
    return out;
  }
  if (!is_number_like(left) || !is_number_like(right))
    refuse(line, "the operator '" + op + "' does not know " + type_of(left) + " and " + type_of(right));
  if (!left.is_number_float() && !right.is_number_float() && op != "/")
    return integer_arithmetic(op, to_integer(left), to_integer(right), line);
  const double a = to_number(left), b = to_number(right);
  if ((op == "/" || op == "//" || op == "%") && b == 0) refuse(line, "divides by zero");
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (op == "/") return a / b;
  return op == "//" ? std::floor(a / b) : a - b * std::floor(a / b);
}

std::string print_number(double value) {
  auto text = fmt::format("{}", value);
  return std::isfinite(value) && text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

}  // namespace

Json undefined() {
  return Json(Json::value_t::discarded);
}
bool is_undefined(const Json& value) {
  return value.is_discarded();
}

bool is_true(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  if (value.is_structured()) return !value.empty();
  return false;
}

std::string type_of(const Json& value) {
  if (is_undefined(value)) return "an undefined value";
  if (value.is_null()) return "none";
  if (value.is_boolean()) return "true or false";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a text";
  return value.is_array() ? "a list" : "a map";
}

std::string print(const Json& value, int line) {
  if (is_undefined(value)) return "";
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_number_integer()) return std::to_string(value.get<int64_t>());
  if (value.is_number()) return print_number(value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  refuse(line, "cannot print " + type_of(value));
}

Json binary(const std::string& op, const Json& left, const Json& right, int line) {
  if (op == "==" || op == "!=") {
    // A discarded JSON value equals nothing, but two undefined values are equal.
    const bool both = is_undefined(left) && is_undefined(right);
    return (both || (!is_undefined(left) && !is_undefined(right) && left == right)) == (op == "==");
  }
  if (op == "~") return print(left, line) + print(right, line);
  if (op == "in") return contains(right, left, line);
  if (op == "not in") return !contains(right, left, line);
  if (op.find_first_of("<>") != std::string::npos) return compare(op, left, right, line);
  return arithmetic(op, left, right, line);
}

Json negative(const Json& value, int line) {
  if (!is_number_like(value)) refuse(line, "the operator '-' does not know " + type_of(value));
  return value.is_number_float() ? Json(-value.get<double>()) : binary("-", 0, value, line);
}

Json element(const Json& value, const Json& index, int line) {
  if (is_undefined(value)) refuse(line, "looks into an undefined value");
  if (value.is_object() && index.is_string()) {
    const auto found = value.find(index.get<std::string>());
    return found == value.end() ? undefined() : *found;
  }
  if (!index.is_number_integer() || !(value.is_array() || value.is_string())) return undefined();
  const Json list = value.is_string() ? Json(characters(value.get<std::string>())) : value;
  auto at = index.get<int64_t>();
  if (at < 0) at += static_cast<int64_t>(list.size());
  return at < 0 || at >= static_cast<int64_t>(list.size()) ? undefined() : list[static_cast<size_t>(at)];
}

Json slice(const Json& value, const Json& begin, const Json& end, const Json& step, int line) {
  if (!value.is_array() && !value.is_string()) refuse(line, "cannot take a slice of " + type_of(value));
  const auto part = [&](const Json& given, int64_t fallback) {
    if (given.is_null()) return fallback;
    if (!given.is_number_integer()) refuse(line, "a slice needs integers, got " + type_of(given));
    return std::clamp<int64_t>(given.get<int64_t>(), -(int64_t{1} << 40), int64_t{1} << 40);
  };
  const Json list = value.is_string() ? Json(characters(value.get<std::string>())) : value;
  const auto size = static_cast<int64_t>(list.size());
  const int64_t by = part(step, 1);
  if (by == 0) refuse(line, "the step of a slice must not be 0");
  const int64_t low = by > 0 ? 0 : -1, high = by > 0 ? size : size - 1;
  const auto bound = [&](const Json& given, int64_t fallback) {
    if (given.is_null()) return fallback;
    const int64_t at = part(given, 0);
    return std::clamp(at < 0 ? at + size : at, low, high);
  };
  Json out = Json::array();
  const int64_t stop = bound(end, by > 0 ? high : low);
  for (int64_t at = bound(begin, by > 0 ? low : high); by > 0 ? at < stop : at > stop; at += by)
    out.push_back(list[static_cast<size_t>(at)]);
  if (value.is_array()) return out;
  std::string text;
  for (const auto& character : out) text += character.get<std::string>();
  return text;
}

}  // namespace plaudit::jinja
