#include "plaudit/objective/goal_contrast.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {
namespace {

void check_share(const Check& check, std::string_view name, double value) {
  check.that(value >= 0 && value <= 1, name, "in [0, 1]", value);
}

// Rows `index` [B,S] of the hidden states [B,T,D], scaled to norm 1 (zeros stay zero) by unit().
Tensor pick(const Tensor& hidden, const Tensor& index) {
  return hidden.gather(1, index.unsqueeze(-1).expand({-1, -1, hidden.size(2)}));
}

Tensor unit(const Tensor& x) {
  return x / x.norm(2, {-1}, true).clamp_min(1e-8);
}

// Cosines of sources and goals: [B,S,S] or [B,S,1] for all pairs, [B,S] for matched ones.
Tensor similarities(const Tensor& source, const Tensor& goal, const GoalLossOptions& options) {
  const auto s = unit(source), g = unit(options.goal_mode == "average" ? goal.mean(1, true) : goal);
  return options.pairing == "all" ? s.matmul(g.transpose(1, 2)) : (s * g).sum(-1);
}

void check_columns(const Check& check, const GoalColumns& columns, const Tensor& chosen,
                   const Tensor& rejected) {
  check.dim("source", columns.source, 2);
  check.same_size("chosen_hidden", chosen, 0, "source", columns.source, 0);
  check.same_shape("source", columns.source, "goal", columns.goal);
  check.same_shape("source", columns.source, "negative_source", columns.negative_source);
  check.same_shape("source", columns.source, "negative", columns.negative);
  check.finite("chosen_hidden", chosen);
  check.finite("rejected_hidden", rejected);
  check.index_range("source", columns.source, 0, chosen.size(1));
  check.index_range("goal", columns.goal, 0, chosen.size(1));
  check.index_range("negative_source", columns.negative_source, 0, chosen.size(1));
  check.index_range("negative", columns.negative, 0, rejected.size(1));
}

}  // namespace

GoalIndices goal_sample_indices(const Tensor& uniform, const Tensor& num_actions, int64_t length,
                                const GoalSampling& options) {
  const Check check("contrastive.goal_sample_indices");
  check.not_empty("uniform", uniform);
  check.not_empty("num_actions", num_actions);
  check.shape("uniform", uniform, {-1, 2, -1});
  check.shape("num_actions", num_actions, {uniform.size(0)});
  check.finite("uniform", uniform);
  check.finite("num_actions", num_actions);
  check.range("uniform", uniform, 0, 1);
  if (readable(num_actions)) {
    const auto least = num_actions.min().item<double>();
    check.that(least >= 0, "num_actions", ">= 0", least);
  }
  check.that(length >= 1, "length", ">= 1", length);
  check_share(check, "source_percentile", options.source_percentile);
  check_share(check, "goal_percentile", options.goal_percentile);
  const auto sorted = std::get<0>(as_real(uniform).sort(1));
  const auto columns = [&](int64_t which, double percentile) {
    const auto x = (percentile - 1) * sorted.select(1, which) + 1;
    const auto steps = (x * num_actions.to(x.scalar_type()).unsqueeze(1) + 1).floor();
    const auto k = steps.clamp(0, static_cast<double>(length - 1)).to(at::kLong);
    return at::where(k.eq(0), 0, length - k);
  };
  return {columns(0, options.source_percentile), columns(1, options.goal_percentile)};
}

GoalLoss goal_conditioned_loss(const Tensor& chosen_hidden, const Tensor& rejected_hidden,
                               const GoalColumns& columns, const GoalLossOptions& options) {
  const Check check("contrastive.goal_conditioned_loss");
  const std::initializer_list<NamedTensor> tensors = {{"chosen_hidden", chosen_hidden},
                                                      {"rejected_hidden", rejected_hidden},
                                                      {"source", columns.source},
                                                      {"goal", columns.goal},
                                                      {"negative_source", columns.negative_source},
                                                      {"negative", columns.negative}};
  for (const auto& t : tensors) check.not_empty(t.name, t.value);
  check.dim("chosen_hidden", chosen_hidden, 3);
  check.dim("rejected_hidden", rejected_hidden, 3);
  check.same_size("chosen_hidden", chosen_hidden, 0, "rejected_hidden", rejected_hidden, 0);
  check.same_size("chosen_hidden", chosen_hidden, 2, "rejected_hidden", rejected_hidden, 2);
  check_columns(check, columns, chosen_hidden, rejected_hidden);
  check.that(options.beta >= 0, "beta", ">= 0", options.beta);
  check.choice("reduction", options.reduction, {"log_of_mean", "mean_of_log"});
  check.choice("goal_mode", options.goal_mode, {"token", "average"});
  check.choice("pairing", options.pairing, {"all", "matched"});

  const auto chosen = as_real(chosen_hidden), rejected = as_real(rejected_hidden);
  const auto positive = similarities(pick(chosen, columns.source), pick(chosen, columns.goal), options);
  const auto negative =
      similarities(pick(chosen, columns.negative_source), pick(rejected, columns.negative), options);
  const auto loss = options.reduction == "mean_of_log"
                        ? logistic_link(positive).mean() + logistic_link(-negative).mean()
                        : -at::sigmoid(positive).mean().log() - at::sigmoid(-negative).mean().log();
  return {options.beta * loss, positive.mean(), negative.mean()};
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def(
      "goal_sample_indices(Tensor uniform, Tensor num_actions, int length, float source_percentile=0., float "
      "goal_percentile=0.) -> (Tensor source, Tensor goal)",
      [](const Tensor& uniform, const Tensor& num_actions, int64_t length, double source, double goal) {
        return as_tuple(goal_sample_indices(uniform, num_actions, length, {source, goal}));
      },
      "Columns of a source and a later goal inside a response.", {"14"});
  m.def(
      "goal_conditioned_loss(Tensor chosen_hidden, Tensor rejected_hidden, Tensor source, Tensor goal, "
      "Tensor "
      "negative_source, Tensor negative, float beta=0.5, str reduction='log_of_mean', str goal_mode='token', "
      "str pairing='all') -> (Tensor loss, Tensor positive_similarity, Tensor negative_similarity)",
      [](const Tensor& chosen, const Tensor& rejected, const Tensor& source, const Tensor& goal,
         const Tensor& negative_source, const Tensor& negative, double beta, std::string reduction,
         std::string goal_mode, std::string pairing) {
        return as_tuple(
            goal_conditioned_loss(chosen, rejected, {source, goal, negative_source, negative},
                                  {beta, std::move(reduction), std::move(goal_mode), std::move(pairing)}));
      },
      "Contrastive loss between hidden states and their goals.", {"14"});
}

}  // namespace plaudit
