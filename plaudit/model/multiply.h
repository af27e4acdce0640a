// A product of two matrices by the faster of the two libraries that ATen carries.
//
// ATen leaves f32 to MKL, which uses AVX-512 on Intel's processors alone. oneDNN asks what a processor can do
// rather than who made it: on Zen 5 it multiplies f32 at twice MKL's rate. So products in f32 that are large
// enough go to oneDNN where there is AVX-512 and the processor is not Intel's. All else is ATen's.
#pragma once

#include <ATen/core/Tensor.h>

namespace plaudit {

// out = a b, or a b scale + addend: [m, n] of a [m, k], b [k, n] and an addend that can be expanded to [m,
// n], `out` itself perhaps; all of one type. Not differentiable.
void multiply_into(at::Tensor out, const at::Tensor& a, const at::Tensor& b, const at::Tensor& addend = {},
                   double scale = 1);

// Whether ATen multiplies bf16 by instructions of this processor.
bool multiplies_bf16();

}  // namespace plaudit
