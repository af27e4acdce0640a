#include "plaudit/objective/triplet.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

// The 2-norm of every row, with gradient 0 where the row is 0.
Tensor row_norm(const Tensor& x) {
  const auto squares = x.square().sum(-1);
  const auto positive = squares > 0;
  return at::where(positive, at::where(positive, squares, at::ones_like(squares)).sqrt(),
                   at::zeros_like(squares));
}

}  // namespace

ElementwiseLoss triplet_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                             const TripletOptions& options) {
  const Check check("preference.triplet_loss");
  check_arguments(check, {{"positive", positive, "BD"},
                          {"negative", negative, "BD"},
                          {"anchor", anchor, anchor.dim() == 1 ? "D" : "BD"}});
  check.that(options.margin >= 0, "margin", ">= 0", options.margin);
  check.that(options.eps >= 0, "eps", ">= 0", options.eps);
  const auto from = as_real(anchor);
  const auto near = row_norm(from - as_real(positive) + options.eps);
  const auto far = row_norm(from - as_real(negative) + options.eps);
  const auto losses = at::relu(near - far + options.margin);
  return {losses.mean(), losses};
}

Tensor unit_norm_penalty(const Tensor& z) {
  const Check check("contrastive.unit_norm_penalty");
  check_arguments(check, {{"z", z, "BD"}});
  return (row_norm(as_real(z)) - 1).square().mean();
}

Tensor oppo_objective(const OppoTerms& terms, double pref_weight, double norm_weight) {
  const Check check("preference.oppo_objective");
  check_arguments(check, {{"rec_a", terms.rec_a, ""},
                          {"rec_b", terms.rec_b, ""},
                          {"triplet", terms.triplet, ""},
                          {"norm_a", terms.norm_a, ""},
                          {"norm_b", terms.norm_b, ""}});
  return as_real(terms.rec_a) + as_real(terms.rec_b) + pref_weight * as_real(terms.triplet) +
         norm_weight * (as_real(terms.norm_a) + as_real(terms.norm_b));
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "triplet_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1., float eps=1e-6) -> "
      "(Tensor "
      "loss, Tensor elementwise)",
      [](const Tensor& anchor, const Tensor& positive, const Tensor& negative, double margin, double eps) {
        return as_tuple(triplet_loss(anchor, positive, negative, {margin, eps}));
      },
      "Distances to an anchor, ordered by a margin.", {"33"});
  m.def(
      "oppo_objective(Tensor rec_a, Tensor rec_b, Tensor triplet, Tensor norm_a, Tensor norm_b, float "
      "pref_weight=0.1, float norm_weight=0.1) -> (Tensor loss)",
      [](const Tensor& rec_a, const Tensor& rec_b, const Tensor& triplet, const Tensor& norm_a,
         const Tensor& norm_b, double pref, double norm) {
        return oppo_objective({rec_a, rec_b, triplet, norm_a, norm_b}, pref, norm);
      },
      "The objective of an encoder of trajectories and its policy.", {"33"});
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def("unit_norm_penalty(Tensor z) -> (Tensor loss)", &unit_norm_penalty,
        "Squared distance of every norm to one.", {"33"});
}

}  // namespace plaudit
