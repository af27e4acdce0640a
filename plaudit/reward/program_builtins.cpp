// Python's builtins that reward programs may call.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "plaudit/reward/program_library.h"

namespace plaudit::program {
namespace {

using Args = std::vector<Value>;

// "1.5" with `digits` behind the point: printf rounds the exact binary value, half to even, as Python does.
double round_digits(double x, int64_t digits) {
  if (!std::isfinite(x) || digits > 330) return x;
  if (digits >= 0) {
    char text[700];
    std::snprintf(text, sizeof text, "%.*f", static_cast<int>(digits), x);
    return std::strtod(text, nullptr);
  }
  if (digits < -308) return std::copysign(0.0, x);
  const double unit = std::pow(10.0, static_cast<double>(-digits));
  const double size = std::abs(x), rest = std::fmod(size, unit), base = size - rest;
  const bool odd = std::fmod(base / unit, 2) == 1;
  const bool up = rest > unit / 2 || (rest == unit / 2 && odd);
  return std::copysign(up ? base + unit : base, x);
}

// A number, or the single number of an array.
double single_number(Machine& m, const Value& v, const char* function) {
  if (v.is_number()) return v.number();
  if (v.is(Tag::array) && v.as<Array>().size() == 1) return v.as<Array>().data[0];
  m.type(std::string(function) + "() takes a number, not " + describe(v.tag()));
}

Value builtin_abs(Machine& m, const LibraryFunction&, const Args& a) {
  if (a[0].is_number()) return Value::number(std::abs(a[0].number()), a[0].is_integer());
  if (!a[0].is(Tag::array))
    m.type(std::string("abs() takes a number or an array, not ") + describe(a[0].tag()));
  return map1(m, a[0], [](double x) { return std::abs(x); });
}

Value extreme(Machine& m, const Args& a, Op better, const char* name) {
  Value best;
  const auto consider = [&](const Value& candidate) {
    m.step();
    if (best.is(Tag::unbound) || truth(m, compare(m, better, candidate, best))) best = candidate;
  };
  if (a.size() > 1) {
    for (const auto& candidate : a) consider(candidate);
  } else {
    Iterator items(m, a[0]);
    for (Value item; items.next(m, item);) consider(item);
  }
  if (best.is(Tag::unbound)) m.value(std::string(name) + "() of nothing");
  return best;
}

Value builtin_max(Machine& m, const LibraryFunction&, const Args& a) {
  return extreme(m, a, Op::gt, "max");
}
Value builtin_min(Machine& m, const LibraryFunction&, const Args& a) {
  return extreme(m, a, Op::lt, "min");
}

Value builtin_sum(Machine& m, const LibraryFunction&, const Args& a) {
  Value total = a[1].is(Tag::unbound) ? Value::integer(0) : a[1];
  Iterator items(m, a[0]);
  for (Value item; items.next(m, item);) {
    m.step();
    total = binary(m, Op::add, total, item);
  }
  return total;
}

Value builtin_len(Machine& m, const LibraryFunction&, const Args& a) {
  const auto& v = a[0];
  if (v.is(Tag::array)) return Value::integer(static_cast<double>(v.as<Array>().n[0]));
  if (v.is_sequence()) return Value::integer(v.as<Sequence>().size);
  if (v.is(Tag::dict)) {
    const auto entries = v.as<Sequence>().size / 2;  // keys and values in turns
    return Value::integer(static_cast<double>(entries));
  }
  if (v.is(Tag::range)) return Value::integer(v.as<Range>().count);
  m.type(std::string("len() does not take ") + describe(v.tag()));
}

Value builtin_range(Machine& m, const LibraryFunction&, const Args& a) {
  const bool one = a[1].is(Tag::unbound);
  const auto start = one ? 0 : integer_argument(m, a[0], "the start of range()");
  const auto stop = integer_argument(m, one ? a[0] : a[1], "the end of range()");
  const auto step = a[2].is(Tag::unbound) ? 1 : integer_argument(m, a[2], "the step of range()");
  if (step == 0) m.value("the step of range() must not be zero");
  const auto count = step > 0 ? (stop > start ? (stop - start - 1) / step + 1 : 0)
                              : (start > stop ? (start - stop - 1) / -step + 1 : 0);
  return m.range(static_cast<double>(start), static_cast<double>(step), static_cast<double>(count));
}

Value builtin_enumerate(Machine& m, const LibraryFunction&, const Args& a) {
  Iterator check(m, a[0]);
  const auto start = a[1].is(Tag::unbound) ? 0 : integer_argument(m, a[1], "the start of enumerate()");
  auto out = m.sequence(Tag::enumerate, 2);
  m.append(out.as<Sequence>(), a[0]);
  m.append(out.as<Sequence>(), Value::integer(static_cast<double>(start)));
  return out;
}

Value builtin_zip(Machine& m, const LibraryFunction&, const Args& a) {
  auto out = m.sequence(Tag::zip, static_cast<uint32_t>(a.size()));
  for (const auto& source : a) {
    Iterator check(m, source);
    m.append(out.as<Sequence>(), source);
  }
  return out;
}

Value builtin_round(Machine& m, const LibraryFunction&, const Args& a) {
  if (a[0].is(Tag::array)) m.type("round() takes a number; use np.round for arrays");
  const double x = single_number(m, a[0], "round");
  const bool digits = !a[1].is(Tag::unbound) && !a[1].is(Tag::none);
  if (!digits) {
    if (!std::isfinite(x)) m.value("round() of a number that is not finite");
    return Value::integer(std::nearbyint(x));
  }
  const auto n = integer_argument(m, a[1], "the digits of round()");
  if (a[0].is_integer() && n >= 0) return a[0];
  const double out = round_digits(x, n);
  if (std::isinf(out) && std::isfinite(x)) m.value("the rounded value is too large");
  return Value::number(out, a[0].is_integer());
}

Value builtin_float(Machine& m, const LibraryFunction&, const Args& a) {
  return Value::real(a[0].is(Tag::unbound) ? 0 : single_number(m, a[0], "float"));
}

Value builtin_int(Machine& m, const LibraryFunction&, const Args& a) {
  const double x = a[0].is(Tag::unbound) ? 0 : single_number(m, a[0], "int");
  if (!std::isfinite(x)) m.value("int() of a number that is not finite");
  return Value::integer(std::trunc(x) + 0.0);
}

Value builtin_bool(Machine& m, const LibraryFunction&, const Args& a) {
  return Value::boolean(!a[0].is(Tag::unbound) && truth(m, a[0]));
}

Value any_or_all(Machine& m, const Value& source, bool wanted) {
  Iterator items(m, source);
  for (Value item; items.next(m, item);) {
    m.step();
    if (truth(m, item) == wanted) return Value::boolean(wanted);
  }
  return Value::boolean(!wanted);
}

Value builtin_any(Machine& m, const LibraryFunction&, const Args& a) {
  return any_or_all(m, a[0], true);
}
Value builtin_all(Machine& m, const LibraryFunction&, const Args& a) {
  return any_or_all(m, a[0], false);
}

Value sequence_of(Machine& m, const Args& a, Tag tag) {
  auto out = m.sequence(tag, 0);
  if (a[0].is(Tag::unbound)) return out;
  if (a[0].is(Tag::range) && a[0].as<Range>().count * sizeof(Value) > ProgramHeap::kBytes)
    m.memory("the list needs more than 4 MiB");
  Iterator items(m, a[0]);
  int64_t n = 0;
  for (Value item; items.next(m, item);) {
    if (++n % 8 == 0) m.step();
    m.append(out.as<Sequence>(), item);
  }
  return out;
}

Value builtin_list(Machine& m, const LibraryFunction&, const Args& a) {
  return sequence_of(m, a, Tag::list);
}
Value builtin_tuple(Machine& m, const LibraryFunction&, const Args& a) {
  return sequence_of(m, a, Tag::tuple);
}

}  // namespace

std::vector<LibraryFunction> builtin_functions() {
  return {library_function("abs", "x", builtin_abs),
          library_function("min", "x *", builtin_min),
          library_function("max", "x *", builtin_max),
          library_function("sum", "iterable start?", builtin_sum),
          library_function("len", "x", builtin_len),
          library_function("range", "start stop? step?", builtin_range),
          library_function("enumerate", "iterable start?", builtin_enumerate),
          library_function("zip", "*", builtin_zip),
          library_function("round", "number ndigits?", builtin_round),
          library_function("float", "x?", builtin_float),
          library_function("int", "x?", builtin_int),
          library_function("bool", "x?", builtin_bool),
          library_function("any", "x", builtin_any),
          library_function("all", "x", builtin_all),
          library_function("list", "x?", builtin_list),
          library_function("tuple", "x?", builtin_tuple)};
}

}  // namespace plaudit::program
