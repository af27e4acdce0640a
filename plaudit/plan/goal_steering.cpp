#include "plaudit/plan/goal_steering.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_states(const Check& check, const Tensor& hidden, const Tensor& mask, const Tensor& goal) {
  check.not_empty("hidden", hidden);
  check.not_empty("mask", mask);
  check.not_empty("goal", goal);
  check.dim("hidden", hidden, 3);
  check.shape("mask", mask, {hidden.size(0), hidden.size(1)});
  check.shape("goal", goal, {hidden.size(2)});
  check.finite_where("hidden", hidden, mask.unsqueeze(-1));
  check.finite("goal", goal);
}

Tensor cosine(const Tensor& states, const Tensor& goal) {
  const auto length = [](const Tensor& x) {
    return at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}).clamp_min(1e-8);
  };
  const auto g = as_real(goal).to(states.scalar_type());
  return states.matmul(g) / (length(states) * length(g));
}

}  // namespace

Tensor goal_similarity(const Tensor& hidden, const Tensor& goal, const Tensor& mask) {
  const Check check("decode.goal_similarity");
  check_states(check, hidden, mask, goal);
  return keep_valid(cosine(keep_valid(as_real(hidden), mask.unsqueeze(-1)), goal), mask);
}

GoalFilter goal_filter(const Tensor& similarity, const Tensor& mask, double threshold, int64_t skip) {
  const Check check("filter.goal_filter");
  check_tokens(check, {{"similarity", similarity}}, mask, ValidRows::left_aligned);
  check.that(skip >= 0, "skip", ">= 0", skip);
  const auto ok = valid(mask);
  const auto length = ok.sum(1);
  const auto position = at::arange(mask.size(1), length.options());
  const auto low = as_real(similarity).lt(threshold).logical_and(ok).logical_and(position.ge(skip));
  const auto stop = at::where(low, position, length.unsqueeze(1)).amin(1);
  const auto keep = low.any(1).logical_not();
  const auto total = length.sum().item<int64_t>();
  const auto saved = keep.any().item<bool>() ? (length - stop).sum().item<int64_t>() : 0;
  return {keep, stop, saved, static_cast<double>(saved) / static_cast<double>(total)};
}

Vote filtered_majority_vote(const Tensor& answers, const Tensor& keep, const std::optional<Tensor>& weight) {
  const Check check("decode.filtered_majority_vote");
  check.not_empty("answers", answers);
  check.dim("answers", answers, 1);
  check.same_shape("answers", answers, "keep", keep);
  if (weight) check.same_shape("answers", answers, "weight", *weight);
  if (answers.is_floating_point()) check.refuse(ErrorKind::type, "answers", "must hold integers");
  if (weight) {
    check.finite("weight", *weight);
    check.range("weight", *weight, 0, INFINITY);
  }
  const bool fallback = !keep.ne(0).any().item<bool>();
  std::vector<std::pair<int64_t, double>> votes;  // in order of appearance
  for (int64_t i = 0; i < answers.size(0); ++i) {
    if (!fallback && !keep[i].ne(0).item<bool>()) continue;
    const auto answer = answers[i].item<int64_t>();
    auto entry =
        std::find_if(votes.begin(), votes.end(), [&](const auto& vote) { return vote.first == answer; });
    if (entry == votes.end()) entry = votes.insert(entry, {answer, 0});
    entry->second += weight ? (*weight)[i].item<double>() : 1;
  }
  auto best = votes.front();
  for (const auto& vote : votes) {
    if (vote.second > best.second) best = vote;
  }
  return {best.first, best.second, fallback};
}

GoalBeamScore goal_beam_score(const Tensor& score, const Tensor& hidden, const Tensor& mask,
                              const Tensor& goal) {
  const Check check("decode.goal_beam_score");
  check.not_empty("score", score);
  check_states(check, hidden, mask, goal);
  check.shape("score", score, {hidden.size(0)});
  check.finite("score", score);
  check_rows(check, mask, ValidRows::every);
  const auto similarity = cosine(masked_mean(as_real(hidden), mask.unsqueeze(-1), 1), goal);
  return {as_real(score).to(similarity.scalar_type()) + similarity, similarity};
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("goal_similarity(Tensor hidden, Tensor goal, Tensor mask) -> (Tensor similarity)", &goal_similarity,
        "Cosine of every state with a goal state.", {"14"});
  m.def(
      "filtered_majority_vote(Tensor answers, Tensor keep, Tensor? weight=None) -> (int answer, float votes, "
      "bool "
      "fallback)",
      [](const Tensor& answers, const Tensor& keep, const std::optional<Tensor>& weight) {
        return as_tuple(filtered_majority_vote(answers, keep, weight));
      },
      "Weighted majority vote among the samples that a filter kept.", {"14"});
  m.def(
      "goal_beam_score(Tensor score, Tensor hidden, Tensor mask, Tensor goal) -> (Tensor score, Tensor "
      "similarity)",
      [](const Tensor& score, const Tensor& hidden, const Tensor& mask, const Tensor& goal) {
        return as_tuple(goal_beam_score(score, hidden, mask, goal));
      },
      "Beam scores plus the cosine of the candidate with a goal state.", {"14"});
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def(
      "goal_filter(Tensor similarity, Tensor mask, float threshold=0., int skip=5) -> (Tensor keep, Tensor "
      "stop, int "
      "tokens_saved, float saved_fraction)",
      [](const Tensor& similarity, const Tensor& mask, double threshold, int64_t skip) {
        return as_tuple(goal_filter(similarity, mask, threshold, skip));
      },
      "Samples that never turn away from the goal, and where the others do.", {"14"});
}

}  // namespace plaudit
