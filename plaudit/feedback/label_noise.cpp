#include "plaudit/feedback/label_noise.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"

namespace plaudit {

Tensor flip_labels(const Tensor& labels, const Tensor& uniforms, double rate) {
  const Check check("preference.flip_labels");
  check.alike({{"labels", labels}, {"uniforms", uniforms}}, 1);
  check.range("labels", labels, 0, 1);
  check.range("uniforms", uniforms, 0, 1);
  check.that(rate >= 0 && rate <= 1, "rate", "in [0, 1]", rate);
  const auto l = labels.scalar_type() == at::kBool ? labels.to(at::kLong) : labels;
  return at::where(uniforms.lt(rate), 1 - l, l);
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("flip_labels(Tensor labels, Tensor uniforms, float rate=0.25) -> (Tensor labels)", &flip_labels,
        "Turns a share of the labels round.", {"40", "29"});
}

}  // namespace plaudit
