// A world of a few answers with preferences that follow no ranking: what is learnt from pairs of two data
// laws, and how far it depends on the law.
#include <ATen/ATen.h>

#include "plaudit/claim/table_draws.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/objective/preference_game.h"
#include "plaudit/objective/srpo.h"
#include "plaudit/run/stage.h"
#include "plaudit/train/preference_losses.h"

namespace plaudit {
namespace {

struct RevisionTableOptions {
  std::string method = "srpo";  // or a preference loss
  PreferenceLossOptions settings;
  double revision_weight = 0.5;
  int64_t sampled_pairs = 0;  // 0: exact soft labels
  TableTraining training = {.steps = 800, .batch = 0, .learning_rate = 0.1, .schedule = "cosine"};
};

std::vector<std::string> methods() {
  auto out = preference_loss_names();
  out.push_back("srpo");
  return out;
}

}  // namespace

template <>
void describe(OptionTable<RevisionTableOptions>& t) {
  t.field("method", &RevisionTableOptions::method, "srpo, or a preference loss", one_of(methods()));
  t.include(&RevisionTableOptions::settings);
  t.field("revision_weight", &RevisionTableOptions::revision_weight,
          "of srpo: alpha, the weight of the reviser", between(0, 1));
  t.field("sampled_pairs", &RevisionTableOptions::sampled_pairs,
          "pairs with hard labels; 0: all, with exact labels", at_least(0));
  t.include(&RevisionTableOptions::training);
}

namespace {

constexpr int64_t kTableAnswers = 6;
constexpr double kCycleScale = 1.5;

// P[i,j] = sigma(s_i - s_j + C_ij) with C antisymmetric.
at::Tensor draw_preferences(Rng rng) {
  const auto scores = rng.normal_tensor({kTableAnswers}, at::kDouble);
  const auto cycles = kCycleScale * rng.normal_tensor({kTableAnswers, kTableAnswers}, at::kDouble);
  return (scores.unsqueeze(1) - scores + (cycles - cycles.t()) / std::sqrt(2.0)).sigmoid();
}

// The law of the data and its reverse, in one random order of the answers.
std::pair<at::Tensor, at::Tensor> draw_laws(Rng rng) {
  const auto weights = at::tensor({.4, .25, .15, .1, .06, .04}, at::kDouble);
  const auto order = index_tensor(rng.permutation(kTableAnswers));
  return {weights.index_select(0, order), weights.flip(0).index_select(0, order)};
}

// Winners over losers: [A,A] weights that sum to 1, row = winner. A pair with label p is its two outcomes
// with weights p and 1-p, which changes the losses here by a constant.
at::Tensor outcome_weights(const at::Tensor& preference, const at::Tensor& law, int64_t sampled, Rng rng) {
  auto outcomes = law.unsqueeze(1) * law * preference;
  outcomes.fill_diagonal_(0);
  outcomes = outcomes / outcomes.sum();
  if (sampled == 0) return outcomes;
  const auto cells = draw_rows(outcomes.reshape({1, -1}).expand({sampled, -1}), rng);
  return at::bincount(cells, {}, kTableAnswers * kTableAnswers)
             .to(at::kDouble)
             .view({kTableAnswers, kTableAnswers}) /
         static_cast<double>(sampled);
}

struct Learnt {
  at::Tensor logps;      // [A]
  at::Tensor imp_logps;  // [A,A], row = the given answer
};

Learnt learn_revisions(const RevisionTableOptions& o, const at::Tensor& weights, const Rng& rng) {
  const auto index = at::arange(kTableAnswers, at::kLong);
  const auto w = index.repeat_interleave(kTableAnswers), l = index.repeat({kTableAnswers});
  const auto weight = weights.reshape({-1});
  const double beta = o.settings.beta.value_or(0.1);
  const auto ref =
      at::full({kTableAnswers * kTableAnswers}, -std::log(static_cast<double>(kTableAnswers)), at::kDouble);
  const auto logits = at::zeros({kTableAnswers}, at::kDouble).set_requires_grad(true);
  const auto imp = at::zeros({kTableAnswers, kTableAnswers}, at::kDouble).set_requires_grad(true);
  const bool revises = o.method == "srpo";

  const auto losses = [&] {
    const auto logps = logits.log_softmax(0);
    const PairLogps pair{logps.index_select(0, w), logps.index_select(0, l), ref, ref};
    if (!revises) {
      const auto ones = at::ones_like(weight);
      return find_preference_loss(o.method, o.settings).compute({pair, ones, ones}, o.settings).losses;
    }
    const auto imp_logps = imp.log_softmax(1).reshape({-1});
    const auto given = [&](const at::Tensor& written, const at::Tensor& context) {
      return imp_logps.index_select(0, context * kTableAnswers + written);
    };
    // Divided by beta^2: the targets are 1/2 while the predictions scale with beta.
    return srpo_loss(pair, {given(w, l), given(l, l), given(w, w), given(l, w)}, {ref, ref, ref, ref},
                     {.beta = beta, .alpha = o.revision_weight})
               .losses /
           (beta * beta);
  };
  std::vector<Parameter> parameters = {{"logits", logits}};
  if (revises) parameters.push_back({"revisions", imp});
  train_table("revision_table", parameters, 1, o.training, rng, [&](const std::vector<int64_t>&) {
    return StepLoss{(weight * losses()).sum(), 1, {}};
  });
  return {logits.detach().log_softmax(0), imp.detach().log_softmax(1)};
}

void report_revisions(const Learnt& learnt, const at::Tensor& preference, double beta, RunContext& context) {
  const auto uniform = at::full({kTableAnswers}, 1.0 / kTableAnswers, at::kDouble);
  const auto exact =
      srpo_tabular(preference, uniform.log(), uniform.log().expand({kTableAnswers, kTableAnswers}), beta);
  const auto improve = learnt.imp_logps.exp();
  const auto revised = revision_distribution(uniform, improve / improve.sum(1, true), 1)[1];
  auto& summary = context.summary();
  summary.metric("closed_form_tv", total_variation(learnt.logps, exact.logps).item<double>());
  summary.metric("closed_form_revision_tv",
                 total_variation(learnt.imp_logps, exact.imp_logps).max().item<double>());
  // P(revision > original), the original any answer.
  const auto win = [&](const at::Tensor& logps) {
    return (logps.exp() * preference.t()).sum(1).mean().item<double>();
  };
  summary.metric("revision_win", win(learnt.imp_logps));
  summary.metric("best_revision_win", win(exact.imp_logps));
  summary.metric("win_rate_uniform",
                 expected_win_rate(revised / revised.sum(), uniform, preference).item<double>());
}

void run_revision_table(const RevisionTableOptions& o, RunContext& context) {
  const auto world = context.rng("world");
  const auto preference = draw_preferences(world.child("preferences"));
  const auto [first_law, second_law] = draw_laws(world.child("laws"));
  const auto learn_from = [&](const at::Tensor& law, const char* name) {
    return learn_revisions(o, outcome_weights(preference, law, o.sampled_pairs, world.child(name)),
                           context.rng("order"));
  };
  const auto first = learn_from(first_law, "first"), second = learn_from(second_law, "second");
  context.summary().metric("tv", total_variation(first.logps, second.logps).item<double>());
  if (o.method == "srpo") report_revisions(first, preference, o.settings.beta.value_or(0.1), context);
}

PLAUDIT_STAGE(
    revision_table, RevisionTableOptions,
    {
        .doc = "Learns from pairs of two data laws: how far the policies differ, and what revisions win.",
        .run = run_revision_table,
    });

}  // namespace
}  // namespace plaudit
