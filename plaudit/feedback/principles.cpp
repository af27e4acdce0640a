#include "plaudit/feedback/principles.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

// The judgement of both orders: their mean where they agree, else 0.
Tensor consistent_score(const Tensor& score_12, const Tensor& score_21) {
  const auto agree = (score_12.sign() * score_21.sign()).gt(0);
  return at::where(agree, (score_12 + score_21) / 2, 0.0);
}

void check_positive(const Check& check, std::string_view name, const Tensor& t) {
  if (!readable(t)) return;
  const auto least = t.min().item<double>();
  check.that(least > 0, name, "> 0", least);
}

void check_uniforms(const Check& check, const Tensor& uniforms) {
  check.dim("uniforms", uniforms, 1);
  check.finite("uniforms", uniforms);
  check.range("uniforms", uniforms, 0, 1);
}

}  // namespace

JudgeScore pairwise_judge_score(const JudgeLogits& logits) {
  const Check check("preference.pairwise_judge_score");
  check.alike({{"logit_a_12", logits.a_12},
               {"logit_b_12", logits.b_12},
               {"logit_a_21", logits.a_21},
               {"logit_b_21", logits.b_21}},
              1);
  const auto s12 = as_real(logits.a_12) - as_real(logits.b_12);
  const auto s21 = as_real(logits.b_21) - as_real(logits.a_21);
  const auto score = consistent_score(s12, s21);
  const auto preference = score.gt(0).to(at::kLong) + 2 * score.lt(0).to(at::kLong);
  return {s12, s21, score, preference};
}

DominantPrinciple dominant_principle(const Tensor& scores_12, const Tensor& scores_21, const Tensor& variance,
                                     const Tensor& selected, const Tensor& negated) {
  const Check check("preference.dominant_principle");
  check.not_empty("scores_12", scores_12);
  check.not_empty("scores_21", scores_21);
  check.not_empty("variance", variance);
  check.not_empty("selected", selected);
  check.not_empty("negated", negated);
  if (readable(selected) && selected.dim() == 2) {
    const auto bare = selected.ne(0).any(1).logical_not();
    if (bare.any().item<bool>())
      check.refuse(ErrorKind::empty, "selected",
                   fmt::format("names no principle in row {}", bare.to(at::kInt).argmax().item<int64_t>()));
  }
  check_sizes(check, {{"scores_12", scores_12, "BD"},
                      {"scores_21", scores_21, "BD"},
                      {"variance", variance, "D"},
                      {"selected", selected, "BD"},
                      {"negated", negated, "BD"}});
  check.finite("scores_12", scores_12);
  check.finite("scores_21", scores_21);
  check.finite("variance", variance);
  check.finite("selected", selected);
  check.finite("negated", negated);
  check_positive(check, "variance", variance);
  const auto scaled = consistent_score(as_real(scores_12), as_real(scores_21)) / variance;
  const auto adjusted = at::where(selected.ne(0), at::where(negated.ne(0), -scaled, scaled), 0.0);
  const auto index = adjusted.abs().argmax(1);
  const auto verdict = adjusted.gather(1, index.unsqueeze(1)).squeeze(1);
  const auto label = at::where(verdict.eq(0), -1, verdict.gt(0).to(at::kLong));
  return {label, at::where(verdict.eq(0), -1, index), adjusted};
}

Tensor sample_principles(const Tensor& weights, const Tensor& uniforms, const std::optional<Tensor>& boost,
                         double boost_amount) {
  const Check check("filter.sample_principles");
  check.not_empty("weights", weights);
  check.not_empty("uniforms", uniforms);
  check.dim("weights", weights, 1);
  if (boost) check.same_shape("weights", weights, "boost", *boost);
  check.finite("weights", weights);
  if (boost) check.finite("boost", *boost);
  check_uniforms(check, uniforms);
  const int64_t count = weights.size(0), draws = uniforms.size(0);
  check.that(draws <= count, "uniforms", fmt::format("at most {} draws", count), draws);
  auto mass = weights.to(at::kCPU, at::kDouble).clone();
  check.that(mass.min().item<double>() >= 0, "weights", ">= 0", mass.min().item<double>());
  if (boost) mass = mass + boost->to(at::kCPU, at::kDouble) * boost_amount;
  check.that(mass.min().item<double>() >= 0, "boost_amount", "no larger a reduction than the weights",
             boost_amount);
  check.that(mass.gt(0).sum().item<int64_t>() >= draws, "weights",
             fmt::format("positive for at least {} principles", draws), mass.gt(0).sum().item<int64_t>());
  const auto u = uniforms.to(at::kCPU, at::kDouble);
  auto chosen = at::empty({draws}, at::kLong);
  for (int64_t i = 0; i < draws; ++i) {
    const auto cumulative = mass.cumsum(0);
    const auto above = cumulative.gt(u[i] * cumulative[-1]).logical_and(mass.gt(0));
    // Rounding can leave nothing above for a draw next to 1: then the last remaining principle.
    const auto index = above.any().item<bool>() ? above.to(at::kInt).argmax() : mass.gt(0).nonzero()[-1][0];
    chosen[i] = index;
    mass[index.item<int64_t>()] = 0;
  }
  return chosen.to(weights.device());
}

int64_t truncated_geometric(double uniform, double p, int64_t maximum) {
  const Check check("filter.truncated_geometric");
  if (std::isnan(uniform)) check.refuse(ErrorKind::nan, "uniform", "is NaN");
  check.that(uniform >= 0 && uniform <= 1, "uniform", "in [0, 1]", uniform);
  check.that(p > 0 && p <= 1, "p", "in (0, 1]", p);
  check.that(maximum >= 1, "maximum", ">= 1", maximum);
  const double total = 1 - std::pow(1 - p, static_cast<double>(maximum));
  double below = 0, mass = p;
  for (int64_t n = 1; n < maximum; ++n, mass *= 1 - p) {
    below += mass / total;
    if (uniform < below) return n;
  }
  return maximum;
}

std::string principle_lines(const std::vector<std::string>& definitions,
                            const std::vector<std::string>& negative_definitions,
                            const std::vector<bool>& negated) {
  const Check check("decode.principle_lines");
  if (definitions.empty()) check.refuse(ErrorKind::empty, "definitions", "is empty");
  const auto same_length = [&](std::string_view name, size_t length) {
    if (length != definitions.size())
      check.refuse(ErrorKind::shape, name,
                   fmt::format("has {} entries for {} definitions", length, definitions.size()));
  };
  same_length("negative_definitions", negative_definitions.size());
  same_length("negated", negated.size());
  std::string text;
  for (size_t i = 0; i < definitions.size(); ++i) {
    if (i > 0) text += '\n';
    text += "- " + (negated[i] ? negative_definitions[i] : definitions[i]);
  }
  return text;
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "pairwise_judge_score(Tensor logit_a_12, Tensor logit_b_12, Tensor logit_a_21, Tensor logit_b_21) -> "
      "(Tensor score_12, Tensor score_21, Tensor score, Tensor preference)",
      [](const Tensor& a_12, const Tensor& b_12, const Tensor& a_21, const Tensor& b_21) {
        return as_tuple(pairwise_judge_score({a_12, b_12, a_21, b_21}));
      },
      "A judge's preference in both orders of presentation.", {"29"});
  m.def(
      "dominant_principle(Tensor scores_12, Tensor scores_21, Tensor variance, Tensor selected, Tensor "
      "negated) -> (Tensor label, Tensor index, Tensor adjusted)",
      [](const Tensor& s12, const Tensor& s21, const Tensor& variance, const Tensor& selected,
         const Tensor& negated) {
        return as_tuple(dominant_principle(s12, s21, variance, selected, negated));
      },
      "Preference labels by the principle that speaks loudest.", {"29"});
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def(
      "sample_principles(Tensor weights, Tensor uniforms, Tensor? boost=None, float boost_amount=128.) -> "
      "(Tensor indices)",
      &sample_principles, "Weighted draws of principles without replacement.", {"29"});
  m.def("truncated_geometric(float uniform, float p=0.2, int maximum=8) -> (int count)", &truncated_geometric,
        "A geometric count conditioned on a maximum, by inversion.", {"29"});
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("principle_lines(str[] definitions, str[] negative_definitions, bool[] negated) -> (str text)",
        [](const std::vector<std::string>& definitions, const std::vector<std::string>& negative_definitions,
           const c10::List<bool>& negated) {
          return principle_lines(definitions, negative_definitions,
                                 std::vector<bool>(negated.begin(), negated.end()));
        },
        "The principles of a reward prompt, one line each.", {"29"});
}

}  // namespace plaudit
