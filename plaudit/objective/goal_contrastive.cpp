#include "plaudit/objective/goal_contrastive.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_columns(const Check& check, std::string_view name, const Tensor& columns,
                   const GoalContrast& states, int64_t length) {
  check.not_empty(name, columns);
  check.dim(name, columns, 2);
  check.same_shape("source", states.source, name, columns);
  if (columns.is_floating_point()) check.refuse(ErrorKind::type, name, "must hold integers");
  check.index_range(name, columns, 0, length);
}

// The states of each row at its columns: [B,S,D].
Tensor states_at(const Tensor& hidden, const Tensor& columns) {
  const auto index = columns.to(at::kLong).unsqueeze(-1).expand({-1, -1, hidden.size(2)});
  return hidden.gather(1, index);
}

// Cosines of sources [B,S,D] with goals: [B,S,S] for all pairs, [B,S] for matched ones.
Tensor cosines(const Tensor& sources, const Tensor& goals, const GoalContrastOptions& options) {
  const auto unit = [](const Tensor& x) {
    return x / at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, /*keepdim=*/true).clamp_min(1e-8);
  };
  const auto g = unit(options.goal_mode == "average" ? goals.mean(1, true) : goals);
  if (options.pairing == "all") return unit(sources).matmul(g.transpose(1, 2));
  return (unit(sources) * g).sum(-1);
}

}  // namespace

GoalColumns goal_sample_indices(const Tensor& uniform, const Tensor& num_actions, int64_t length,
                                double source_percentile, double goal_percentile) {
  const Check check("contrastive.goal_sample_indices");
  check.not_empty("uniform", uniform);
  check.not_empty("num_actions", num_actions);
  check.shape("uniform", uniform, {-1, 2, -1});
  check.dim("num_actions", num_actions, 1);
  check.same_size("uniform", uniform, 0, "num_actions", num_actions, 0);
  check.finite("uniform", uniform);
  check.finite("num_actions", num_actions);
  check.range("uniform", uniform, 0, 1);
  check.range("num_actions", num_actions, 0, 1e15);
  check.that(length >= 1, "length", ">= 1", length);
  for (const auto& [name, p] :
       {std::pair{"source_percentile", source_percentile}, {"goal_percentile", goal_percentile}})
    check.that(p >= 0 && p <= 1, name, "in [0, 1]", p);
  const auto sorted = std::get<0>(as_real(uniform).to(at::kDouble).sort(1));
  const auto n = as_real(num_actions).to(at::kDouble).unsqueeze(1);
  const auto columns = [&](int64_t which, double percentile) {
    const auto x = (percentile - 1) * sorted.select(1, which) + 1;
    const auto steps = (x * n + 1).floor().clamp(0, static_cast<double>(length - 1)).to(at::kLong);
    return at::where(steps.eq(0), at::zeros_like(steps), length - steps);
  };
  return {columns(0, source_percentile), columns(1, goal_percentile)};
}

GoalContrastResult goal_conditioned_loss(const GoalContrast& states, const GoalContrastOptions& options) {
  const Check check("contrastive.goal_conditioned_loss");
  const auto &chosen = states.chosen_hidden, &rejected = states.rejected_hidden;
  check.not_empty("chosen_hidden", chosen);
  check.not_empty("rejected_hidden", rejected);
  check.dim("chosen_hidden", chosen, 3);
  check.dim("rejected_hidden", rejected, 3);
  check.same_size("chosen_hidden", chosen, 0, "rejected_hidden", rejected, 0);
  check.same_size("chosen_hidden", chosen, 2, "rejected_hidden", rejected, 2);
  check.not_empty("source", states.source);
  check.dim("source", states.source, 2);
  check.same_size("chosen_hidden", chosen, 0, "source", states.source, 0);
  check.finite("chosen_hidden", chosen);
  check.finite("rejected_hidden", rejected);
  check_columns(check, "source", states.source, states, chosen.size(1));
  check_columns(check, "goal", states.goal, states, chosen.size(1));
  check_columns(check, "negative_source", states.negative_source, states, chosen.size(1));
  check_columns(check, "negative", states.negative, states, rejected.size(1));
  check.that(options.beta >= 0, "beta", ">= 0", options.beta);
  check.choice("reduction", options.reduction, {"log_of_mean", "mean_of_log"});
  check.choice("goal_mode", options.goal_mode, {"token", "average"});
  check.choice("pairing", options.pairing, {"all", "matched"});

  const auto c = as_real(chosen), r = as_real(rejected).to(c.scalar_type());
  const auto positive = cosines(states_at(c, states.source), states_at(c, states.goal), options);
  const auto negative = cosines(states_at(c, states.negative_source), states_at(r, states.negative), options);
  // 1 - sigma(q) = sigma(-q); cosines are bounded, so the logarithms are, too.
  const auto term = [&](const Tensor& q) {
    return options.reduction == "log_of_mean" ? -at::sigmoid(q).mean().log() : -at::log_sigmoid(q).mean();
  };
  return {options.beta * (term(positive) + term(-negative)), positive.mean(), negative.mean()};
}

Tensor goal_state(const Tensor& hidden, const Tensor& mask) {
  const Check check("contrastive.goal_state");
  check.not_empty("hidden", hidden);
  check.not_empty("mask", mask);
  check.dim("hidden", hidden, 3);
  check.dim("mask", mask, 2);
  check.same_size("hidden", hidden, 0, "mask", mask, 0);
  check.same_size("hidden", hidden, 1, "mask", mask, 1);
  check_rows(check, mask, ValidRows::every);
  check.finite_where("hidden", hidden, mask.unsqueeze(-1));
  const auto position = at::arange(mask.size(1), mask.options().dtype(at::kLong));
  const auto last = at::where(valid(mask), position, at::zeros_like(position)).amax(1, true);
  return states_at(as_real(hidden), last).squeeze(1).mean(0);
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def(
      "goal_sample_indices(Tensor uniform, Tensor num_actions, int length, float source_percentile=0., float "
      "goal_percentile=0.) -> (Tensor source, Tensor goal)",
      [](const Tensor& uniform, const Tensor& num_actions, int64_t length, double source, double goal) {
        return as_tuple(goal_sample_indices(uniform, num_actions, length, source, goal));
      },
      "Which states of an answer to contrast with which later ones.", {"14"});
  m.def(
      "goal_conditioned_loss(Tensor chosen_hidden, Tensor rejected_hidden, Tensor source, Tensor goal, "
      "Tensor "
      "negative_source, Tensor negative, float beta=0.5, str reduction='log_of_mean', str goal_mode='token', "
      "str "
      "pairing='all') -> (Tensor loss, Tensor positive_similarity, Tensor negative_similarity)",
      [](const Tensor& chosen, const Tensor& rejected, const Tensor& source, const Tensor& goal,
         const Tensor& negative_source, const Tensor& negative, double beta, std::string reduction,
         std::string goal_mode, std::string pairing) {
        return as_tuple(
            goal_conditioned_loss({chosen, rejected, source, goal, negative_source, negative},
                                  {beta, std::move(reduction), std::move(goal_mode), std::move(pairing)}));
      },
      "Contrastive loss that aligns the states of chosen answers with their end.", {"14"});
  m.def("goal_state(Tensor hidden, Tensor mask) -> (Tensor goal)", &goal_state,
        "Mean last-token state of preferred answers.", {"14"});
}

}  // namespace plaudit
