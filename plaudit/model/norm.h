// RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467) and LayerNorm, computed in f32 whatever the storage.
#pragma once

#include <ATen/core/Tensor.h>

namespace plaudit {

struct Norm {
  at::Tensor weight;  // [D]
  at::Tensor bias;    // [D]; defined: LayerNorm, else RMSNorm
  double eps = 1e-5;
  bool unit_offset = false;  // scale by 1 + weight
};

// What the backward pass needs beside the input: one number per row.
struct NormState {
  at::Tensor mean;  // LayerNorm only
  at::Tensor rstd;
};

struct NormGrads {
  at::Tensor x, weight, bias;
};

// x [..., D] -> the same shape in `out`; differentiable, keeps x and one number per row.
at::Tensor apply_norm(const at::Tensor& x, const Norm& norm, at::ScalarType out);

// The two halves of it, for functions that compute the norm again instead of storing it. x [N, D].
at::Tensor norm_forward(const at::Tensor& x, const Norm& norm, at::ScalarType out, NormState& state);
NormGrads norm_backward(const at::Tensor& grad, const at::Tensor& x, const Norm& norm, const NormState& state,
                        bool need_weights);

// x * rsqrt(mean(x^2) + eps) * w, or (1 + w): the definition. x [..., D], weight [D].
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps = 1e-5,
                    bool unit_offset = false);

}  // namespace plaudit
