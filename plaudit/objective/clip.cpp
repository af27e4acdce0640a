#include "plaudit/objective/clip.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {}  // namespace

ClipLoss clip_loss(const Tensor& image_features, const Tensor& text_features, double logit_scale,
                   bool normalize) {
  const Check check("contrastive.clip_loss");
  check.alike({{"image_features", image_features}, {"text_features", text_features}}, 2);
  check.that(std::isfinite(logit_scale), "logit_scale", "finite", logit_scale);
  auto image = as_real(image_features);
  auto text = as_real(text_features).to(image.scalar_type());
  if (normalize) {
    image = unit_rows(image);
    text = unit_rows(text);
  }
  const auto logits = logit_scale * image.matmul(text.t());
  const auto to_text = at::log_softmax(logits, 1).diagonal().mean();
  const auto to_image = at::log_softmax(logits, 0).diagonal().mean();
  return {-(to_text + to_image) / 2, logits};
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def(
      "clip_loss(Tensor image_features, Tensor text_features, float logit_scale, bool normalize=True) -> "
      "(Tensor "
      "loss, Tensor logits_per_image)",
      [](const Tensor& image, const Tensor& text, double logit_scale, bool normalize) {
        return as_tuple(clip_loss(image, text, logit_scale, normalize));
      },
      "Symmetric contrastive loss between images and their texts.", {"03"});
}

}  // namespace plaudit
