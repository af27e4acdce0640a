// Rotary position embedding (Su et al. 2021, arXiv 2104.09864), with the stretchings of RopeScaling.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "plaudit/model/config.h"

namespace plaudit {

// cos and sin of position times frequency, [N, d/2] f32.
struct RopeTable {
  at::Tensor cos, sin;
};

// inv_j of a model's full layers, or of its sliding ones (`local`), [d/2] f64.
at::Tensor rope_frequencies(const TransformerConfig& config, bool local);
RopeTable rope_table(const at::Tensor& frequencies, const at::Tensor& positions);

// Turns the pairs (j, j + d/2) of x [N, H, d] by their angle, or back (`inverse`: also the gradient). The
// products are f32; the result has x's dtype. Not recorded by autograd.
at::Tensor rotate(const at::Tensor& x, const RopeTable& table, bool inverse = false);

// The definition, for either layout of pairs: "half" (j, j + d/2), "interleaved" (2j, 2j + 1). x [T, H, d],
// positions [T]; differentiable.
at::Tensor rope(const at::Tensor& x, const at::Tensor& positions, double theta = 10000,
                const std::string& layout = "half");

}  // namespace plaudit
