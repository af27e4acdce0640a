// Functions of one or two numbers: np applies them to every element and gives nan or inf where they have no
// value; math takes numbers and stops there, as CPython does.
#include <cmath>

#include "plaudit/reward/program_library.h"

namespace plaudit::program {
namespace {

using Args = std::vector<Value>;

double sign(double x) {
  return std::isnan(x) ? x : static_cast<double>(x > 0) - static_cast<double>(x < 0);
}
double to_radians(double x) {
  return x * (M_PI / 180);
}
double to_degrees(double x) {
  return x * (180 / M_PI);
}
double maximum(double a, double b) {
  return std::isnan(a) || a > b ? a : b;
}
double minimum(double a, double b) {
  return std::isnan(a) || a < b ? a : b;
}

Value np_unary(Machine& m, const LibraryFunction& f, const Args& a) {
  return map1(m, a[0], f.scalar1);
}
Value np_binary(Machine& m, const LibraryFunction& f, const Args& a) {
  return map2(m, a[0], a[1], f.scalar2);
}

// np.isnan and the like of a number are booleans.
Value np_test(Machine& m, const LibraryFunction& f, const Args& a) {
  auto out = map1(m, a[0], f.scalar1);
  return out.is_number() ? Value::boolean(out.number() != 0) : out;
}

double math_number(Machine& m, const LibraryFunction& f, const Value& v) {
  if (v.is_number()) return v.number();
  if (v.is(Tag::array) && v.as<Array>().size() == 1) return v.as<Array>().data[0];
  m.type(f.name + "() takes a number, not " + describe(v.tag()));
}

// CPython's rule: NaN out of numbers is a domain error, infinity out of finite numbers a range error.
double math_checked(Machine& m, const LibraryFunction& f, double out, bool nan_in, bool finite_in) {
  if ((std::isnan(out) && !nan_in) || (std::isinf(out) && finite_in))
    m.value("math domain or range error in " + f.name + "()");
  return out;
}

Value math_unary(Machine& m, const LibraryFunction& f, const Args& a) {
  const double x = math_number(m, f, a[0]);
  return Value::real(math_checked(m, f, f.scalar1(x), std::isnan(x), std::isfinite(x)));
}

Value math_binary(Machine& m, const LibraryFunction& f, const Args& a) {
  const double x = math_number(m, f, a[0]), y = math_number(m, f, a[1]);
  return Value::real(math_checked(m, f, f.scalar2(x, y), std::isnan(x) || std::isnan(y),
                                  std::isfinite(x) && std::isfinite(y)));
}

Value math_log(Machine& m, const LibraryFunction& f, const Args& a) {
  const double x = math_number(m, f, a[0]);
  const double top = math_checked(m, f, std::log(x), std::isnan(x), std::isfinite(x));
  if (a[1].is(Tag::unbound)) return Value::real(top);
  const double base = math_number(m, f, a[1]);
  const double bottom = math_checked(m, f, std::log(base), std::isnan(base), std::isfinite(base));
  if (bottom == 0) m.value("division by zero in math.log()");
  return Value::real(top / bottom);
}

Value math_to_integer(Machine& m, const LibraryFunction& f, const Args& a) {
  const double x = math_number(m, f, a[0]);
  if (!std::isfinite(x)) m.value(f.name + "() of a number that is not finite");
  return Value::integer(f.scalar1(x) + 0.0);
}

Value math_test(Machine& m, const LibraryFunction& f, const Args& a) {
  return Value::boolean(f.scalar1(math_number(m, f, a[0])) != 0);
}

Value math_isclose(Machine& m, const LibraryFunction& f, const Args& a) {
  const double x = math_number(m, f, a[0]), y = math_number(m, f, a[1]);
  const double relative = a[2].is(Tag::unbound) ? 1e-9 : math_number(m, f, a[2]);
  const double absolute = a[3].is(Tag::unbound) ? 0 : math_number(m, f, a[3]);
  if (relative < 0 || absolute < 0) m.value("tolerances must not be negative");
  if (x == y) return Value::boolean(true);
  if (std::isinf(x) || std::isinf(y)) return Value::boolean(false);
  const double gap = std::abs(x - y);
  return Value::boolean(gap <= relative * std::abs(x) || gap <= relative * std::abs(y) || gap <= absolute);
}

Value math_hypot(Machine& m, const LibraryFunction& f, const Args& a) {
  double out = 0;
  bool nan_in = false, finite_in = true;
  for (const auto& value : a) {
    const double x = math_number(m, f, value);
    nan_in = nan_in || std::isnan(x);
    finite_in = finite_in && std::isfinite(x);
    out = std::hypot(out, x);
  }
  return Value::real(math_checked(m, f, out, nan_in, finite_in));
}

Value np_clip(Machine& m, const LibraryFunction&, const Args& a) {
  const auto absent = [](const Value& v) { return v.is(Tag::none) || v.is(Tag::unbound); };
  if (a[1].is(Tag::unbound) && a[2].is(Tag::unbound)) m.type("np.clip() needs a_min and a_max");
  if (absent(a[1]) && absent(a[2])) m.value("np.clip() needs a bound");
  Value out = as_array(m, a[0]);
  if (!absent(a[1])) out = map2(m, out, a[1], maximum);
  return absent(a[2]) ? out : map2(m, out, a[2], minimum);
}

Value np_round(Machine& m, const LibraryFunction&, const Args& a) {
  const auto digits = a[1].is(Tag::unbound) ? 0 : integer_argument(m, a[1], "decimals");
  if (digits == 0) return map1(m, a[0], [](double x) { return std::nearbyint(x); });
  // NumPy scales, rounds and scales back.
  const auto unit = Value::real(std::pow(10.0, std::abs(static_cast<double>(digits))));
  const auto mul = [](double x, double y) { return x * y; };
  const auto div = [](double x, double y) { return x / y; };
  const auto scaled = map2(m, a[0], unit, digits > 0 ? Function2(mul) : Function2(div));
  const auto rounded = map1(m, scaled, [](double x) { return std::nearbyint(x); });
  return map2(m, rounded, unit, digits > 0 ? Function2(div) : Function2(mul));
}

Value np_isclose(Machine& m, const LibraryFunction&, const Args& a) {
  const auto number = [&](const Value& v, double fallback) {
    if (v.is(Tag::unbound)) return fallback;
    if (!v.is_number()) m.type("tolerances are numbers");
    return v.number();
  };
  const double relative = number(a[2], 1e-5), absolute = number(a[3], 1e-8);
  const Operand x(m, a[0]), y(m, a[1]);
  const View sizes = broadcast(m, *x, *y);
  const View p = stretch(*x, sizes), q = stretch(*y, sizes);
  const auto close = [&](double u, double v) {
    if (std::isfinite(u) && std::isfinite(v)) return std::abs(u - v) <= absolute + relative * std::abs(v);
    return u == v;
  };
  if (sizes.rank == 0) return Value::boolean(close(p.at(0, 0), q.at(0, 0)));
  auto out = new_like(m, sizes);
  double* to = data_of(out);
  for (int64_t i = 0; i < sizes.rows; ++i) {
    for (int64_t j = 0; j < sizes.columns; ++j) *to++ = close(p.at(i, j), q.at(i, j)) ? 1 : 0;
  }
  return out;
}

struct Entry {
  const char* name;
  Function1 f;
};

#define PLAUDIT_SCALAR(f) [](double x) { return f(x); }
// np and math have these under the same names.
const Entry kShared[] = {{"sqrt", PLAUDIT_SCALAR(std::sqrt)},
                         {"exp", PLAUDIT_SCALAR(std::exp)},
                         {"log1p", PLAUDIT_SCALAR(std::log1p)},
                         {"log10", PLAUDIT_SCALAR(std::log10)},
                         {"sin", PLAUDIT_SCALAR(std::sin)},
                         {"cos", PLAUDIT_SCALAR(std::cos)},
                         {"tan", PLAUDIT_SCALAR(std::tan)},
                         {"sinh", PLAUDIT_SCALAR(std::sinh)},
                         {"cosh", PLAUDIT_SCALAR(std::cosh)},
                         {"tanh", PLAUDIT_SCALAR(std::tanh)},
                         {"degrees", to_degrees},
                         {"radians", to_radians}};
const Entry kNpOnly[] = {{"abs", PLAUDIT_SCALAR(std::abs)},
                         {"sign", sign},
                         {"square", [](double x) { return x * x; }},
                         {"log", PLAUDIT_SCALAR(std::log)},
                         {"arcsin", PLAUDIT_SCALAR(std::asin)},
                         {"arccos", PLAUDIT_SCALAR(std::acos)},
                         {"arctan", PLAUDIT_SCALAR(std::atan)},
                         {"deg2rad", to_radians},
                         {"rad2deg", to_degrees},
                         {"floor", PLAUDIT_SCALAR(std::floor)},
                         {"ceil", PLAUDIT_SCALAR(std::ceil)}};
const Entry kMathOnly[] = {{"asin", PLAUDIT_SCALAR(std::asin)},
                           {"acos", PLAUDIT_SCALAR(std::acos)},
                           {"atan", PLAUDIT_SCALAR(std::atan)},
                           {"fabs", PLAUDIT_SCALAR(std::abs)}};
const Entry tests[] = {{"isnan", [](double x) { return std::isnan(x) ? 1.0 : 0.0; }},
                       {"isfinite", [](double x) { return std::isfinite(x) ? 1.0 : 0.0; }}};
#undef PLAUDIT_SCALAR

}  // namespace

std::vector<LibraryFunction> elementwise_functions() {
  std::vector<LibraryFunction> out;
  const auto add1 = [&](std::string name, LibraryFunction::Call call, Function1 f) {
    out.push_back(library_function(std::move(name), "x", call));
    out.back().scalar1 = f;
  };
  const auto add2 = [&](std::string name, LibraryFunction::Call call, Function2 f) {
    out.push_back(library_function(std::move(name), "x1 x2", call));
    out.back().scalar2 = f;
  };
  const auto power = [](double a, double b) { return std::pow(a, b); };
  const auto atan2 = [](double a, double b) { return std::atan2(a, b); };
  for (const auto& [name, f] : kShared) {
    add1(std::string("np.") + name, np_unary, f);
    add1(std::string("math.") + name, math_unary, f);
  }
  for (const auto& [name, f] : kNpOnly) add1(std::string("np.") + name, np_unary, f);
  for (const auto& [name, f] : kMathOnly) add1(std::string("math.") + name, math_unary, f);
  for (const auto& [name, f] : tests) {
    add1(std::string("np.") + name, np_test, f);
    add1(std::string("math.") + name, math_test, f);
  }
  add1("math.floor", math_to_integer, [](double x) { return std::floor(x); });
  add1("math.ceil", math_to_integer, [](double x) { return std::ceil(x); });
  add2("np.power", np_binary, power);
  add2("np.arctan2", np_binary, atan2);
  add2("np.maximum", np_binary, maximum);
  add2("np.minimum", np_binary, minimum);
  add2("math.pow", math_binary, power);
  add2("math.atan2", math_binary, atan2);
  out.push_back(library_function("math.log", "x base?", math_log));
  out.push_back(library_function("math.hypot", "*", math_hypot));
  out.push_back(library_function("math.isclose", "a b rel_tol? abs_tol?", math_isclose));
  out.push_back(library_function("np.clip", "a a_min? a_max?", np_clip));
  out.push_back(library_function("np.round", "a decimals?", np_round));
  out.push_back(library_function("np.isclose", "a b rtol? atol?", np_isclose));
  return out;
}

}  // namespace plaudit::program
