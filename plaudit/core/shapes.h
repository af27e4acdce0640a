// The sizes of several arguments at once, written as letters; one letter stands for one size.
//
//   check_arguments(check, {{"q", q, "KB"}, {"targets", targets, "B"}});
//
// refuses, in this order, an empty argument (empty), a shape that disagrees with the letters (shape) and NaN
// or infinity (nan), and names the argument.
#pragma once

#include <c10/util/ArrayRef.h>

#include <string_view>

#include "plaudit/core/checks.h"

namespace plaudit {

struct ShapedTensor {
  std::string_view name;
  Tensor value;            // undefined stands for an optional argument that is not given
  std::string_view sizes;  // one letter per dimension; "" is a scalar, "..." any shape
};

using ShapedTensors = c10::ArrayRef<ShapedTensor>;

void check_not_empty(const Check& check, ShapedTensors arguments);
void check_sizes(const Check& check, ShapedTensors arguments);
void check_finite(const Check& check, ShapedTensors arguments);

// The three above.
void check_arguments(const Check& check, ShapedTensors arguments);

// Kind value unless 0 <= gamma <= 1.
void check_discount(const Check& check, double gamma);

// Tensors of one argument's shape, any: not empty, shapes alike, finite.
void check_elementwise(const Check& check, std::initializer_list<NamedTensor> tensors);

}  // namespace plaudit
