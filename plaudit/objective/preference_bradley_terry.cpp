#include "plaudit/objective/preference_bradley_terry.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {
namespace {

void check_options(const Check& check, const Tensor& like, const BradleyTerryOptions& o) {
  if (o.margin && o.margin->dim() > 0) check.same_shape("chosen_rewards", like, "margin", *o.margin);
  if (o.label_smoothing && o.label_smoothing->dim() > 0)
    check.same_shape("chosen_rewards", like, "label_smoothing", *o.label_smoothing);
  if (o.weight) check.same_shape("chosen_rewards", like, "weight", *o.weight);
  if (o.margin) check.finite("margin", *o.margin);
  if (o.label_smoothing) check.no_nan("label_smoothing", *o.label_smoothing);
  if (o.weight) check.finite("weight", *o.weight);
  if (o.label_smoothing) check.range("label_smoothing", *o.label_smoothing, 0, 1);
  if (o.weight && readable(*o.weight)) {
    const auto least = o.weight->min().item<double>();
    check.that(least >= 0, "weight", ">= 0", least);
    check.that(o.weight->max().item<double>() > 0, "weight", "> 0 for some pair", "all zero");
  }
  check.that(o.center_coef >= 0, "center_coef", ">= 0", o.center_coef);
}

}  // namespace

BradleyTerryResult bradley_terry_loss(const Tensor& chosen_rewards, const Tensor& rejected_rewards,
                                      const BradleyTerryOptions& options) {
  const Check check("preference.bradley_terry_loss");
  check.alike({{"chosen_rewards", chosen_rewards}, {"rejected_rewards", rejected_rewards}}, 1);
  check_options(check, chosen_rewards, options);

  const auto chosen = as_real(chosen_rewards), rejected = as_real(rejected_rewards);
  const auto difference = chosen - rejected;
  const auto margin = options.margin ? difference - as_real(*options.margin) : difference;
  auto losses = options.label_smoothing ? logistic_link(margin, as_real(*options.label_smoothing))
                                        : logistic_link(margin);
  if (options.center_coef != 0) losses = losses + options.center_coef * (chosen + rejected).square();

  Tensor loss = losses.mean();
  if (options.weight) {
    const auto weight = as_real(*options.weight).to(losses.scalar_type());
    loss = (weight * losses).sum() / weight.sum();
  }
  const auto d = difference.detach();
  return {loss, losses, d.gt(0).to(d.scalar_type()).mean(), d.mean()};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "bradley_terry_loss(Tensor chosen_rewards, Tensor rejected_rewards, Tensor? margin=None, Tensor? "
      "label_smoothing=None, Tensor? weight=None, float center_coef=0.) -> (Tensor loss, Tensor losses, "
      "Tensor accuracy, Tensor mean_margin)",
      [](const Tensor& chosen, const Tensor& rejected, std::optional<Tensor> margin,
         std::optional<Tensor> smoothing, std::optional<Tensor> weight, double center_coef) {
        return as_tuple(bradley_terry_loss(
            chosen, rejected, {std::move(margin), std::move(smoothing), std::move(weight), center_coef}));
      },
      "Negative log-likelihood of preferences under scalar rewards, with margins, smoothing and weights.",
      {"17", "48", "57"});
}

}  // namespace plaudit
