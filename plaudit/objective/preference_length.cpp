#include "plaudit/objective/preference_length.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"
#include "plaudit/objective/preference_margin.h"

namespace plaudit {

SimpoResult simpo_loss(const Tensor& chosen_logps, const Tensor& rejected_logps, const Tensor& chosen_lengths,
                       const Tensor& rejected_lengths, const SimpoOptions& options) {
  const Check check("preference.simpo_loss");
  check.alike({{"chosen_logps", chosen_logps}, {"rejected_logps", rejected_logps}}, 1);
  const auto w = as_real(chosen_logps), l = as_real(rejected_logps);
  const auto w_lengths = checked_lengths(check, "chosen_lengths", chosen_lengths, "chosen_logps", w);
  const auto l_lengths = checked_lengths(check, "rejected_lengths", rejected_lengths, "rejected_logps", l);
  check.that(options.beta > 0, "beta", "> 0", options.beta);
  check.that(options.label_smoothing >= 0 && options.label_smoothing < 0.5, "label_smoothing", "in [0, 0.5)",
             options.label_smoothing);
  const auto chosen = w / w_lengths, rejected = l / l_lengths;
  const auto margin = options.beta * (chosen - rejected - options.gamma_beta_ratio);
  const auto losses = logistic_link(margin, options.label_smoothing);
  return {losses.mean(), losses, options.beta * chosen.detach(), options.beta * rejected.detach()};
}

Tensor log1mexp(const Tensor& x) {
  // Each branch sees only arguments of its own side, so that the other's infinite slope reaches no gradient.
  const auto near = x > -std::log(2.0);
  const auto inside = at::full({}, -0.5, x.options()), outside = at::full({}, -1.0, x.options());
  const auto high = at::log(-at::expm1(at::where(near, x, inside)));
  const auto low = at::log1p(-at::exp(at::where(near, outside, x)));
  return at::where(near, high, low);
}

OrpoResult orpo_loss(const Tensor& chosen_avg_logps, const Tensor& rejected_avg_logps,
                     const Tensor& chosen_nll, const OrpoOptions& options) {
  const Check check("preference.orpo_loss");
  check.alike({{"chosen_avg_logps", chosen_avg_logps},
               {"rejected_avg_logps", rejected_avg_logps},
               {"chosen_nll", chosen_nll}},
              1);
  const auto negative = [&](std::string_view name, const Tensor& averages) {
    if (!readable(averages)) return;
    const auto most = averages.max().item<double>();
    check.that(most < 0, name, "< 0", most);
  };
  negative("chosen_avg_logps", chosen_avg_logps);
  negative("rejected_avg_logps", rejected_avg_logps);
  check.that(options.lam >= 0, "lam", ">= 0", options.lam);
  const auto w = as_real(chosen_avg_logps), l = as_real(rejected_avg_logps);
  const auto ratio = (w - l) - (log1mexp(w) - log1mexp(l));
  const auto losses = as_real(chosen_nll) + options.lam * logistic_link(ratio);
  return {losses.mean(), losses, ratio};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "simpo_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor chosen_lengths, Tensor "
      "rejected_lengths, float beta=2., float gamma_beta_ratio=0.5, float label_smoothing=0.) -> (Tensor "
      "loss, Tensor losses, Tensor chosen_rewards, Tensor rejected_rewards)",
      [](const Tensor& w, const Tensor& l, const Tensor& w_lengths, const Tensor& l_lengths, double beta,
         double ratio, double smoothing) {
        return as_tuple(simpo_loss(w, l, w_lengths, l_lengths, {beta, ratio, smoothing}));
      },
      "SimPO: logistic loss on the difference of per-token averages less a target margin.", {"48", "53"});
  m.def(
      "orpo_loss(Tensor chosen_avg_logps, Tensor rejected_avg_logps, Tensor chosen_nll, float lam=0.1) "
      "-> (Tensor loss, Tensor losses, Tensor log_odds_ratio)",
      [](const Tensor& w, const Tensor& l, const Tensor& nll, double lam) {
        return as_tuple(orpo_loss(w, l, nll, {lam}));
      },
      "ORPO: supervised loss plus the logistic loss of the log-odds ratio.", {"48"});
}

}  // namespace plaudit
