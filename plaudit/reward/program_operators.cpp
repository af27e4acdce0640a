#include "plaudit/reward/program_operators.h"

#include <algorithm>
#include <cmath>

namespace plaudit::program {
namespace {

double add(double a, double b) {
  return a + b;
}
double sub(double a, double b) {
  return a - b;
}
double mul(double a, double b) {
  return a * b;
}
double div(double a, double b) {
  return a / b;
}
double power(double a, double b) {
  return std::pow(a, b);
}
double lt(double a, double b) {
  return a < b;
}
double le(double a, double b) {
  return a <= b;
}
double gt(double a, double b) {
  return a > b;
}
double ge(double a, double b) {
  return a >= b;
}
double eq(double a, double b) {
  return a == b;
}
double ne(double a, double b) {
  return a != b;
}

// Arrays follow IEEE: NumPy's floor_divide and remainder.
double array_floor_divide(double a, double b) {
  return b == 0 ? a / b : python_floor_divide(a, b);
}
double array_modulo(double a, double b) {
  return b == 0 ? std::nan("") : python_modulo(a, b);
}

Function2 function_of(Op op) {
  switch (op) {
    case Op::add:
      return add;
    case Op::sub:
      return sub;
    case Op::mul:
      return mul;
    case Op::div:
      return div;
    case Op::floordiv:
      return array_floor_divide;
    case Op::mod:
      return array_modulo;
    case Op::pow:
      return power;
    case Op::lt:
      return lt;
    case Op::le:
      return le;
    case Op::gt:
      return gt;
    case Op::ge:
      return ge;
    case Op::eq:
      return eq;
    case Op::ne:
      return ne;
    default:
      return nullptr;
  }
}

double scalar_power(Machine& m, double a, double b) {
  if (a == 0 && b < 0) m.value("zero cannot be raised to a negative power");
  if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b))
    m.value("a negative number to a fractional power is not real");
  const double out = std::pow(a, b);
  if (std::isinf(out) && std::isfinite(a) && std::isfinite(b)) m.value("the result of ** is too large");
  return out;
}

Value scalars(Machine& m, Op op, const Value& a, const Value& b) {
  const double x = a.number(), y = b.number();
  const bool integers = a.is_integer() && b.is_integer();
  switch (op) {
    case Op::add:
      return Value::number(x + y, integers);
    case Op::sub:
      return Value::number(x - y, integers);
    case Op::mul:
      return Value::number(x * y, integers);
    case Op::div:
      if (y == 0) m.value("division by zero");
      return Value::real(x / y);
    case Op::floordiv:
      if (y == 0) m.value("integer division by zero");
      return Value::number(python_floor_divide(x, y), integers);
    case Op::mod:
      if (y == 0) m.value("modulo by zero");
      return Value::number(python_modulo(x, y), integers);
    case Op::pow:
      return Value::number(scalar_power(m, x, y), integers && y >= 0);
    default:
      m.type("@ needs arrays, not numbers");
  }
}

[[noreturn]] void unsupported(Machine& m, const char* op, const Value& a, const Value& b) {
  m.type(std::string("operator ") + op + " does not take " + describe(a.tag()) + " and " + describe(b.tag()));
}

bool numeric(const Value& v) {
  return v.is_number() || v.is(Tag::array);
}

Value concatenated(Machine& m, const Value& a, const Value& b) {
  const auto& x = a.as<Sequence>();
  const auto& y = b.as<Sequence>();
  m.charge_elements(int64_t{x.size} + y.size);
  auto out = m.sequence(a.tag(), x.size + y.size);
  for (uint32_t i = 0; i < x.size; ++i) m.append(out.as<Sequence>(), x.items[i]);
  for (uint32_t i = 0; i < y.size; ++i) m.append(out.as<Sequence>(), y.items[i]);
  return out;
}

Value repeated(Machine& m, const Value& list, const Value& times) {
  const auto count = std::max<int64_t>(integer_argument(m, times, "the number of repeats"), 0);
  const auto& from = list.as<Sequence>();
  const double size = static_cast<double>(from.size) * static_cast<double>(count);
  if (size * sizeof(Value) > static_cast<double>(ProgramHeap::kBytes))
    m.memory("the repeated list needs more than 4 MiB");
  m.charge_elements(static_cast<int64_t>(size));
  auto out = m.sequence(list.tag(), static_cast<uint32_t>(size));
  if (from.size == 0) return out;
  for (int64_t k = 0; k < count; ++k) {
    for (uint32_t i = 0; i < from.size; ++i) m.append(out.as<Sequence>(), from.items[i]);
  }
  return out;
}

bool equal_at(Machine& m, const Value& a, const Value& b, int depth) {
  m.step();
  if (depth > 64) m.fail(ProgramErrorKind::fuel, "the compared values are nested more than 64 deep");
  if (a.is_number() && b.is_number()) return a.number() == b.number();
  if (a.is(Tag::array) || b.is(Tag::array)) return truth(m, compare(m, Op::eq, a, b));
  if (a.tag() != b.tag()) return false;
  switch (a.tag()) {
    case Tag::none:
    case Tag::self:
      return true;
    case Tag::string:
      m.charge_elements(static_cast<int64_t>(a.text().size()));
      return a.text() == b.text();
    case Tag::library:
      return &a.library() == &b.library();
    case Tag::list:
    case Tag::tuple: {
      const auto& x = a.as<Sequence>();
      const auto& y = b.as<Sequence>();
      if (x.size != y.size) return false;
      for (uint32_t i = 0; i < x.size && i < y.size; ++i) {
        if (!equal_at(m, x.items[i], y.items[i], depth + 1)) return false;
      }
      return true;
    }
    case Tag::range: {
      const auto& x = a.as<Range>();
      const auto& y = b.as<Range>();
      return x.count == y.count &&
             (x.count == 0 || (x.start == y.start && (x.count == 1 || x.step == y.step)));
    }
    case Tag::dict: {
      const auto& x = a.as<Sequence>();
      const auto& y = b.as<Sequence>();
      if (x.size != y.size) return false;
      for (uint32_t i = 0; i < x.size; i += 2) {
        bool found = false;
        for (uint32_t j = 0; j < y.size && !found; j += 2)
          found = equal_at(m, x.items[i], y.items[j], depth + 1) &&
                  equal_at(m, x.items[i + 1], y.items[j + 1], depth + 1);
        if (!found) return false;
      }
      return true;
    }
    default:
      return a.object() == b.object();
  }
}

}  // namespace

double python_modulo(double a, double b) {
  double mod = std::fmod(a, b);
  if (mod != 0) {
    if ((b < 0) != (mod < 0)) mod += b;
  } else {
    mod = std::copysign(0.0, b);
  }
  return mod;
}

double python_floor_divide(double a, double b) {
  double mod = std::fmod(a, b);
  double quotient = (a - mod) / b;
  if (mod != 0 && (b < 0) != (mod < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  double floored = std::floor(quotient);
  if (quotient - floored > 0.5) floored += 1;
  return floored;
}

bool equal(Machine& m, const Value& a, const Value& b) {
  return equal_at(m, a, b, 0);
}

Value binary(Machine& m, Op op, const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return scalars(m, op, a, b);
  if (op == Op::matmul) return matmul(m, a, b, /*dot=*/false);
  const bool array = a.is(Tag::array) || b.is(Tag::array);
  if (!array) {
    if (op == Op::add && a.is_sequence() && a.tag() == b.tag()) return concatenated(m, a, b);
    if (op == Op::mul && a.is_sequence() && b.is_integer()) return repeated(m, a, b);
    if (op == Op::mul && b.is_sequence() && a.is_integer()) return repeated(m, b, a);
  }
  if (!array || !(numeric(a) || a.is_sequence()) || !(numeric(b) || b.is_sequence()))
    unsupported(m, program_op_text(op), a, b);
  return map2(m, a, b, function_of(op));
}

Value compare(Machine& m, Op op, const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return Value::boolean(function_of(op)(a.number(), b.number()) != 0);
  const bool array = a.is(Tag::array) || b.is(Tag::array);
  if (array && (numeric(a) || a.is_sequence()) && (numeric(b) || b.is_sequence()))
    return map2(m, a, b, function_of(op));
  if (op == Op::eq || op == Op::ne) {
    if (array) return Value::boolean(op == Op::ne);
    return Value::boolean(equal(m, a, b) == (op == Op::eq));
  }
  unsupported(m, program_op_text(op), a, b);
}

Value unary(Machine& m, Unary op, const Value& a) {
  if (op == Unary::negation) return Value::boolean(!truth(m, a));
  if (a.is_number()) return Value::number(op == Unary::minus ? -a.number() : a.number(), a.is_integer());
  if (!a.is(Tag::array)) m.type(std::string("a sign does not go before ") + describe(a.tag()));
  return op == Unary::minus ? map1(m, a, [](double x) { return -x; })
                            : map1(m, a, [](double x) { return x; });
}

Value augmented(Machine& m, Op op, Value a, const Value& b) {
  if (a.is(Tag::array)) {
    const auto result = binary(m, op, a, b);
    assign_array(m, view_of(a.as<Array>()), data_of(a), result);
    return a;
  }
  if (op == Op::add && a.is(Tag::list) && !b.is(Tag::array)) {
    Iterator items(m, b);
    Value item;
    // A list added to itself grows by what it was.
    for (auto left = a.object() == b.object() ? int64_t{a.as<Sequence>().size} : INT64_MAX;
         left > 0 && items.next(m, item); --left) {
      m.step();
      m.append(a.as<Sequence>(), item);
    }
    return a;
  }
  return binary(m, op, a, b);
}

Value matmul(Machine& m, const Value& a, const Value& b, bool dot) {
  const Operand x(m, a), y(m, b);
  if (x.scalar() || y.scalar()) {
    if (!dot) m.shape("@ needs arrays, got the shapes " + shape_text(*x) + " and " + shape_text(*y));
    return map2(m, a, b, mul);
  }
  // A vector is a row on the left and a column on the right.
  View left = *x, right = *y;
  if (right.rank == 1) right = {right.data, 2, right.columns, 1, right.column_stride, 0};
  if (left.columns != right.rows)
    m.shape("the product of shapes " + shape_text(*x) + " and " + shape_text(*y) + " does not exist");
  m.charge_elements(left.rows * left.columns * right.columns);
  const auto entry = [&](int64_t i, int64_t j) {
    double sum = 0;
    for (int64_t k = 0; k < left.columns; ++k) sum += left.at(i, k) * right.at(k, j);
    return sum;
  };
  if (x->rank == 1 && y->rank == 1) return Value::real(entry(0, 0));
  auto out = x->rank == 1   ? m.array(right.columns)
             : y->rank == 1 ? m.array(left.rows)
                            : m.array(left.rows, right.columns);
  double* to = data_of(out);
  for (int64_t i = 0; i < left.rows; ++i) {
    for (int64_t j = 0; j < right.columns; ++j) *to++ = entry(i, j);
  }
  return out;
}

}  // namespace plaudit::program
