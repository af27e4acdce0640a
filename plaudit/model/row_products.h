// Matrix products whose rows are divided among the threads by us.
//
// The products of a language model's layers have few columns (its width) and many rows (tokens). For such
// shapes in bf16 oneDNN keeps to one thread, and multiplies a transposed left factor, as the derivatives by
// weights have it, at half of its speed. Here each thread multiplies rows of its own, and a transposed factor
// is put in order first. On processors without instructions for bf16 ATen multiplies it a hundred times
// slower than f32, so there the factors are widened. Other precisions and devices are one product
// (plaudit/model/multiply.h).
#pragma once

#include <ATen/core/Tensor.h>

namespace plaudit {

// a b, or a b + bias: [rows, n] of a [rows, k], b [k, n] and bias [n], all of one type. Not differentiable.
at::Tensor product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias = {});

// The same, without an allocation.
void product_into(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b,
                  const at::Tensor& bias = {});

// sum += scale a b; where `sum` is f32 and the factors bf16, the product may be rounded to bf16 before it is
// added.
void add_product(const at::Tensor& sum, const at::Tensor& a, const at::Tensor& b, double scale = 1);

// What these do with bf16 where the processor does not multiply it: sum = keep sum + scale a b (+ bias) in
// f32, rounded once to the type of `sum`.
void widened_product(const at::Tensor& sum, const at::Tensor& a, const at::Tensor& b,
                     const at::Tensor& bias = {}, double keep = 0, double scale = 1);

// A copy of a bf16 matrix that lies column by column, row by row.
void copy_transposed(const at::Tensor& to, const at::Tensor& from);

}  // namespace plaudit
