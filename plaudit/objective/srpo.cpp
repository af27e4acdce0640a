#include "plaudit/objective/srpo.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

// Log-ratios of the reviser to the reference.
RevisionLogps ratios(const RevisionLogps& imp, const RevisionLogps& ref) {
  const auto r = [](const Tensor& a, const Tensor& b) { return as_real(a) - as_real(b); };
  return {r(imp.w_given_l, ref.w_given_l), r(imp.l_given_l, ref.l_given_l), r(imp.w_given_w, ref.w_given_w),
          r(imp.l_given_w, ref.l_given_w)};
}

// p - 1/2, [B] or a number where there is no label.
Tensor target(const SrpoOptions& options, const Tensor& like) {
  return options.label ? options.label->to(like.scalar_type()) - 0.5 : at::full({}, 0.5, like.options());
}

void check_label_shape(const Check& check, const SrpoOptions& options, std::string_view like_name,
                       const Tensor& like) {
  if (options.label && options.label->dim() > 0) check.same_shape(like_name, like, "label", *options.label);
}

void check_srpo(const Check& check, const SrpoOptions& options) {
  if (options.label) {
    check.finite("label", *options.label);
    check.range("label", *options.label, 0, 1);
  }
  check.that(options.beta > 0, "beta", "> 0", options.beta);
}

Tensor improve_of(const RevisionLogps& r, const SrpoOptions& options) {
  const auto goal = target(options, r.w_given_l);
  const auto from_l = goal - options.beta * (r.w_given_l - r.l_given_l);
  const auto from_w = goal - options.beta * (r.w_given_w - r.l_given_w);
  return (from_l.square() + from_w.square()) / 2;
}

Tensor robust_of(const PairLogps& pair, const Tensor& w_given_l, const Tensor& l_given_w,
                 const SrpoOptions& options) {
  const auto margin = log_ratio_margin(pair) + w_given_l - l_given_w;
  return (target(options, margin) - options.beta / 2 * margin).square();
}

}  // namespace

PairLoss srpo_improve_loss(const RevisionLogps& imp, const RevisionLogps& ref_imp,
                           const SrpoOptions& options) {
  const Check check("preference.srpo_improve_loss");
  check_label_shape(check, options, "imp_w_given_l", imp.w_given_l);
  check.alike({{"imp_w_given_l", imp.w_given_l},
               {"imp_l_given_l", imp.l_given_l},
               {"imp_w_given_w", imp.w_given_w},
               {"imp_l_given_w", imp.l_given_w},
               {"ref_imp_w_given_l", ref_imp.w_given_l},
               {"ref_imp_l_given_l", ref_imp.l_given_l},
               {"ref_imp_w_given_w", ref_imp.w_given_w},
               {"ref_imp_l_given_w", ref_imp.l_given_w}},
              1);
  check_srpo(check, options);
  const auto losses = improve_of(ratios(imp, ref_imp), options);
  return {losses.mean(), losses};
}

PairLoss srpo_robust_loss(const PairLogps& raw, const SwapLogps& imp, const SwapLogps& ref_imp,
                          const SrpoOptions& options) {
  const Check check("preference.srpo_robust_loss");
  check.alike({{"chosen_logps", raw.chosen},
               {"imp_w_given_l", imp.w_given_l},
               {"imp_l_given_w", imp.l_given_w},
               {"ref_imp_w_given_l", ref_imp.w_given_l},
               {"ref_imp_l_given_w", ref_imp.l_given_w}},
              1);
  const auto pair = checked_pair(check, raw);
  check_label_shape(check, options, "chosen_logps", raw.chosen);
  check_srpo(check, options);
  const auto losses = robust_of(pair, as_real(imp.w_given_l) - as_real(ref_imp.w_given_l),
                                as_real(imp.l_given_w) - as_real(ref_imp.l_given_w), options);
  return {losses.mean(), losses};
}

SrpoResult srpo_loss(const PairLogps& raw, const RevisionLogps& imp, const RevisionLogps& ref_imp,
                     const SrpoOptions& options) {
  const Check check("preference.srpo_loss");
  check.alike({{"chosen_logps", raw.chosen},
               {"imp_w_given_l", imp.w_given_l},
               {"imp_l_given_l", imp.l_given_l},
               {"imp_w_given_w", imp.w_given_w},
               {"imp_l_given_w", imp.l_given_w},
               {"ref_imp_w_given_l", ref_imp.w_given_l},
               {"ref_imp_l_given_l", ref_imp.l_given_l},
               {"ref_imp_w_given_w", ref_imp.w_given_w},
               {"ref_imp_l_given_w", ref_imp.l_given_w}},
              1);
  const auto pair = checked_pair(check, raw);
  check_label_shape(check, options, "chosen_logps", raw.chosen);
  check_srpo(check, options);
  check.that(options.alpha >= 0 && options.alpha <= 1, "alpha", "in [0, 1]", options.alpha);
  const auto r = ratios(imp, ref_imp);
  const auto robust = robust_of(pair, r.w_given_l, r.l_given_w, options), improve = improve_of(r, options);
  const auto losses = (1 - options.alpha) * robust + options.alpha * improve;
  return {losses.mean(), losses, robust.mean(), improve.mean()};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "srpo_improve_loss(Tensor imp_w_given_l, Tensor imp_l_given_l, Tensor imp_w_given_w, Tensor "
      "imp_l_given_w, Tensor ref_imp_w_given_l, Tensor ref_imp_l_given_l, Tensor ref_imp_w_given_w, Tensor "
      "ref_imp_l_given_w, Tensor? label=None, float beta=0.1) -> (Tensor loss, Tensor losses)",
      [](const Tensor& wl, const Tensor& ll, const Tensor& ww, const Tensor& lw, const Tensor& ref_wl,
         const Tensor& ref_ll, const Tensor& ref_ww, const Tensor& ref_lw, std::optional<Tensor> label,
         double beta) {
        return as_tuple(srpo_improve_loss({wl, ll, ww, lw}, {ref_wl, ref_ll, ref_ww, ref_lw},
                                          {.label = std::move(label), .beta = beta}));
      },
      "Squared error of the reviser's identity of SRPO.", {"19"});
  m.def(
      "srpo_robust_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, Tensor imp_w_given_l, Tensor imp_l_given_w, Tensor ref_imp_w_given_l, Tensor "
      "ref_imp_l_given_w, Tensor? label=None, float beta=0.1) -> (Tensor loss, Tensor losses)",
      [](const Tensor& w, const Tensor& l, const Tensor& ref_w, const Tensor& ref_l, const Tensor& wl,
         const Tensor& lw, const Tensor& ref_wl, const Tensor& ref_lw, std::optional<Tensor> label,
         double beta) {
        return as_tuple(srpo_robust_loss({w, l, ref_w, ref_l}, {wl, lw}, {ref_wl, ref_lw},
                                         {.label = std::move(label), .beta = beta}));
      },
      "Squared error of the generator's identity of SRPO.", {"19"});
  m.def(
      "srpo_loss(Tensor chosen_logps, Tensor rejected_logps, Tensor ref_chosen_logps, Tensor "
      "ref_rejected_logps, Tensor imp_w_given_l, Tensor imp_l_given_l, Tensor imp_w_given_w, Tensor "
      "imp_l_given_w, Tensor ref_imp_w_given_l, Tensor ref_imp_l_given_l, Tensor ref_imp_w_given_w, Tensor "
      "ref_imp_l_given_w, Tensor? label=None, float beta=0.1, float alpha=0.5) -> (Tensor loss, Tensor "
      "losses, Tensor robust_loss, Tensor improve_loss)",
      [](const Tensor& w, const Tensor& l, const Tensor& ref_w, const Tensor& ref_l, const Tensor& wl,
         const Tensor& ll, const Tensor& ww, const Tensor& lw, const Tensor& ref_wl, const Tensor& ref_ll,
         const Tensor& ref_ww, const Tensor& ref_lw, std::optional<Tensor> label, double beta, double alpha) {
        return as_tuple(srpo_loss({w, l, ref_w, ref_l}, {wl, ll, ww, lw}, {ref_wl, ref_ll, ref_ww, ref_lw},
                                  {std::move(label), beta, alpha}));
      },
      "Self-improving robust preference optimisation.", {"19"});
}

}  // namespace plaudit
