// Python's operators on values, and subscripts.
#pragma once

#include <optional>

#include "plaudit/reward/program_array.h"

namespace plaudit::program {

Value binary(Machine& m, Op op, const Value& a, const Value& b);
Value compare(Machine& m, Op op, const Value& a, const Value& b);
Value unary(Machine& m, Unary op, const Value& a);
// a op= b: arrays and lists change in place, everything else gives a new value.
Value augmented(Machine& m, Op op, Value a, const Value& b);
// Python's == of two values as one truth.
bool equal(Machine& m, const Value& a, const Value& b);
Value matmul(Machine& m, const Value& a, const Value& b, bool dot);

// Python's floor and modulo of floats.
double python_floor_divide(double a, double b);
double python_modulo(double a, double b);

// One part of a subscript.
struct Subscript {
  enum Kind { index, slice, new_axis } kind = index;
  Value key;                // index
  Value start, stop, step;  // slice; unbound where absent
};

// `count` parts; more than two dimensions are of kind value.
Value get_item(Machine& m, const Value& base, const Subscript* parts, size_t count);
void set_item(Machine& m, const Value& base, const Subscript* parts, size_t count, const Value& value);

// Walks over what a for loop accepts.
class Iterator {
 public:
  Iterator(Machine& m, const Value& source);
  // False at the end.
  bool next(Machine& m, Value& out);

 private:
  Value source_;
  int64_t at_ = 0;
  std::vector<Iterator> parts_;  // of zip and enumerate
};

}  // namespace plaudit::program
