// The contrastive loss between images and texts.
//
// Source: Radford et al., CLIP, 2021, arXiv 2103.00020, figure 3.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct ClipLoss {
  Tensor loss;              // scalar: mean of the two cross-entropies with targets on the diagonal
  Tensor logits_per_image;  // [B,B], logit_scale times the similarities
};
// image_features, text_features [B,D]; `normalize` makes rows of length 1 first. Errors: empty, shape, nan.
ClipLoss clip_loss(const Tensor& image_features, const Tensor& text_features, double logit_scale,
                   bool normalize = true);

}  // namespace plaudit
