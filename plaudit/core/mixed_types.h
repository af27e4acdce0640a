// Tensors of different real types in one product: bf16 features beside f32 weights, or a Python list (f64)
// beside either. Sums and elementwise products promote by themselves, matrix products refuse.
#pragma once

#include <ATen/core/Tensor.h>

namespace plaudit {

// The type in which all of them meet: the widest, f32 at least, f64 for integers.
at::ScalarType common_real_type(at::TensorList tensors);

}  // namespace plaudit
