// Arrays of rank 1 and 2 as NumPy has them: conversion, broadcasting, elementwise functions, reductions.
#pragma once

#include <string>
#include <vector>

#include "plaudit/reward/program_machine.h"

namespace plaudit::program {

// Numbers laid out with strides; a scalar has rank 0, and rank 1 is one row.
struct View {
  const double* data;
  int rank;
  int64_t rows;
  int64_t columns;
  int64_t row_stride;
  int64_t column_stride;

  double at(int64_t row, int64_t column) const { return data[row * row_stride + column * column_stride]; }
  int64_t size() const { return rows * columns; }
};

View view_of(const Array& array);

// A value as numbers: a scalar, an array, or a list or tuple, which becomes an array. Other values are errors
// of kind type; ragged lists and more than two dimensions of kind shape.
class Operand {
 public:
  Operand(Machine& m, const Value& value);
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  const View& operator*() const { return view_; }
  const View* operator->() const { return &view_; }
  bool scalar() const { return view_.rank == 0; }
  double number() const { return scalar_; }

 private:
  double scalar_ = 0;
  Value array_;
  View view_;
};

// A list or tuple as an array, an array as itself, a number as itself.
Value as_array(Machine& m, const Value& value);

// "(2, 3)", "(4,)", "()"
std::string shape_text(const View& view);

// An array of these sizes (rank 0: the number at `data` is wanted, not an array).
Value new_like(Machine& m, const View& view);
double* data_of(const Value& array);

using Function1 = double (*)(double);
using Function2 = double (*)(double, double);

Value map1(Machine& m, const Value& a, Function1 f);
Value map2(Machine& m, const Value& a, const Value& b, Function2 f);

// The sizes of two broadcast operands; `out.data` is null. Kind shape.
View broadcast(Machine& m, const View& a, const View& b);
// `view` read in the sizes of `to`: strides of 0 where it repeats.
View stretch(const View& view, const View& to);

// Writes `value` into the numbers of `target`, broadcasting it; kind shape when it does not fit.
void assign_array(Machine& m, const View& target, double* data, const Value& value);

// One line of numbers of a reduction.
struct Line {
  const double* data;
  int64_t n;
  int64_t stride;
  double operator[](int64_t i) const { return data[i * stride]; }
};
using Reduction = double (*)(const Line&, double parameter);

// Over all numbers (axis none or absent), the rows (0) or the columns (1, -1). Other axes are of kind value.
Value reduce(Machine& m, const Value& a, const Value& axis, const Value& keepdims, Reduction f,
             double parameter = 0);

// Python's truth of a value; an array with several numbers is ambiguous (kind value).
bool truth(Machine& m, const Value& value);

// A whole number: integers and floats are one type here, so 2.0 is one and 0.5 is of kind type. `what` starts
// the message.
int64_t integer_argument(Machine& m, const Value& value, const char* what);

}  // namespace plaudit::program
