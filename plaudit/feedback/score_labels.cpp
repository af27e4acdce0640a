#include "plaudit/feedback/score_labels.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {

Tensor pair_labels(const Tensor& scores_a, const Tensor& scores_b, double margin) {
  const Check check("preference.pair_labels");
  check_arguments(check, {{"scores_a", scores_a, "B"}, {"scores_b", scores_b, "B"}});
  check.that(margin >= 0, "margin", ">= 0", margin);
  const auto lead = as_real(scores_a) - as_real(scores_b);
  const auto undecided = at::full(lead.sizes(), -1, lead.options().dtype(at::kLong));
  return undecided.masked_fill(lead > margin, 1).masked_fill(lead < -margin, 0);
}

OrderedPair positive_negative(const Tensor& z_a, const Tensor& z_b, const Tensor& label) {
  const Check check("preference.positive_negative");
  check_arguments(check, {{"z_a", z_a, "BD"}, {"z_b", z_b, "BD"}, {"label", label, "B"}});
  if (readable(label) && !(label.eq(1).logical_or(label.eq(0)).logical_or(label.eq(-1))).all().item<bool>())
    check.refuse(ErrorKind::value, "label", "must hold 1, 0 or -1");
  const auto decided = label.ne(-1).nonzero().squeeze(1);
  if (decided.numel() == 0) check.refuse(ErrorKind::empty, "label", "holds no decided pair");
  const auto a = z_a.index_select(0, decided), b = z_b.index_select(0, decided);
  const auto a_won = label.index_select(0, decided).eq(1).unsqueeze(1);
  return {at::where(a_won, a, b), at::where(a_won, b, a)};
}

Tensor foresight_scores(const Tensor& rewards, const Tensor& start, int64_t foresight) {
  const Check check("preference.foresight_scores");
  check_arguments(check, {{"rewards", rewards, "NT"}, {"start", start, "N"}});
  check.index_range("start", start, 0, rewards.size(1));
  check.that(foresight >= 1, "foresight", ">= 1", foresight);
  const auto step = at::arange(rewards.size(1), start.options()).unsqueeze(0), first = start.unsqueeze(1);
  const auto seen = (step >= first).logical_and(step < first + foresight);
  const auto r = as_real(rewards);
  return at::where(seen, r, at::zeros_like(r)).sum(1);
}

LogisticLabels logistic_label(const Tensor& difference, const Tensor& uniform, double beta) {
  const Check check("preference.logistic_label");
  check_arguments(check, {{"difference", difference, "N"}, {"uniform", uniform, "N"}});
  const auto u = as_real(uniform), d = as_real(difference);
  if (readable(u)) {
    for (const double bound : {u.min().item<double>(), u.max().item<double>()})
      check.that(bound > 0 && bound < 1, "uniform", "in (0, 1)", bound);
  }
  check.that(beta > 0, "beta", "> 0", beta);
  const auto delta = d + at::logit(u) / beta;
  return {delta, delta > 0, at::sigmoid(beta * d)};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def("pair_labels(Tensor scores_a, Tensor scores_b, float margin=0.) -> (Tensor label)", &pair_labels,
        "Labels of pairs of scores, -1 for undecided ones.", {"33"});
  m.def("positive_negative(Tensor z_a, Tensor z_b, Tensor label) -> (Tensor positive, Tensor negative)",
        [](const Tensor& a, const Tensor& b, const Tensor& label) {
          return as_tuple(positive_negative(a, b, label));
        },
        "The better and the worse of each decided pair.", {"33"});
  m.def("foresight_scores(Tensor rewards, Tensor start, int foresight=200) -> (Tensor scores)",
        &foresight_scores, "The rewards that follow the start of a window.", {"33"});
  m.def(
      "logistic_label(Tensor difference, Tensor uniform, float beta=1.) -> (Tensor delta, Tensor label, "
      "Tensor "
      "probability)",
      [](const Tensor& difference, const Tensor& uniform, double beta) {
        return as_tuple(logistic_label(difference, uniform, beta));
      },
      "Noisy labels of a Bradley-Terry annotator.", {"25"});
}

}  // namespace plaudit
