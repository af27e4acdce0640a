#include "plaudit/plan/vote.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_some(const Check& check, const Tensor& mask) {
  if (!readable(mask)) return;
  const auto ok = valid(mask);
  if (!ok.any().item<bool>()) check.refuse(ErrorKind::empty, "mask", "has no valid token");
}

void check_no_holes(const Check& check, const Tensor& mask) {
  if (!readable(mask)) return;
  const auto ok = valid(mask);
  const auto hole = ok.slice(1, 1).logical_and(ok.slice(1, 0, -1).logical_not());
  if (hole.any().item<bool>())
    check.refuse(ErrorKind::value, "mask", "must be a run of valid tokens from the left of each row");
}

}  // namespace

GoalFilter goal_filter(const Tensor& similarity, const Tensor& mask, double threshold, int64_t skip) {
  const Check check("filter.goal_filter");
  check.not_empty("similarity", similarity);
  check.not_empty("mask", mask);
  check_some(check, mask);
  check.dim("similarity", similarity, 2);
  check.same_shape("similarity", similarity, "mask", mask);
  check.no_nan("similarity", keep_valid(similarity, mask));
  check_no_holes(check, mask);
  if (std::isnan(threshold)) check.refuse(ErrorKind::nan, "threshold", "is NaN");
  check.that(skip >= 0, "skip", ">= 0", skip);
  const auto ok = valid(mask);
  const auto length = ok.sum(1), position = at::arange(mask.size(1), length.options());
  const auto low = similarity.lt(threshold).logical_and(ok).logical_and(position.ge(skip));
  const auto stop = at::where(low, position, length.unsqueeze(1)).amin(1);
  const auto keep = low.any(1).logical_not();
  const auto saved = at::where(keep.any(), (length - stop).sum(), 0);
  return {keep, stop, saved, saved.to(at::kDouble) / length.sum()};
}

MajorityVote filtered_majority_vote(const Tensor& answers, const Tensor& keep,
                                    const std::optional<Tensor>& weight) {
  const Check check("decode.filtered_majority_vote");
  check.not_empty("answers", answers);
  check.not_empty("keep", keep);
  check.dim("answers", answers, 1);
  check.same_shape("answers", answers, "keep", keep);
  if (weight) {
    check.same_shape("answers", answers, "weight", *weight);
    check.finite("weight", *weight);
    const auto least = weight->min().item<double>();
    check.that(least >= 0, "weight", ">= 0", least);
  }
  const auto kept = keep.ne(0);
  const bool fallback = !kept.any().item<bool>();
  std::vector<std::pair<int64_t, double>> tally;  // in the order of first appearance
  for (int64_t i = 0; i < answers.size(0); ++i) {
    if (!fallback && !kept[i].item<bool>()) continue;
    const auto answer = answers[i].item<int64_t>();
    const double vote = weight ? (*weight)[i].item<double>() : 1;
    const auto found =
        std::find_if(tally.begin(), tally.end(), [&](const auto& entry) { return entry.first == answer; });
    if (found == tally.end()) {
      tally.emplace_back(answer, vote);
    } else {
      found->second += vote;
    }
  }
  const auto winner = std::max_element(tally.begin(), tally.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return {winner->first, winner->second, fallback};
}

int64_t best_of_scores(const Tensor& scores, const std::optional<Tensor>& valid) {
  const Check check("decode.best_of_n");
  check.not_empty("scores", scores);
  if (valid && !valid->ne(0).any().item<bool>()) check.refuse(ErrorKind::empty, "valid", "leaves no score");
  check.dim("scores", scores, 1);
  if (!valid) {
    check.no_nan("scores", scores);
    return scores.argmax().item<int64_t>();
  }
  check.same_shape("scores", scores, "valid", *valid);
  // By places of the valid ones, so that a valid score of -infinity still beats one that is not valid.
  const auto places = valid->ne(0).nonzero().squeeze(1);
  const auto candidates = scores.index_select(0, places);
  check.no_nan("scores", candidates);
  return places[candidates.argmax().item<int64_t>()].item<int64_t>();
}

ReflexionChoice reflexion_select(const Tensor& scores, double threshold, int64_t max_trials) {
  const Check check("decode.reflexion_select");
  check.not_empty("scores", scores);
  check.dim("scores", scores, 1);
  check.no_nan("scores", scores);
  if (std::isnan(threshold)) check.refuse(ErrorKind::nan, "threshold", "is NaN");
  check.that(max_trials >= 1, "max_trials", ">= 1", max_trials);
  const int64_t most = std::min(max_trials, scores.size(0));
  ReflexionChoice choice{0, 0};
  double best = -std::numeric_limits<double>::infinity();
  while (choice.trials < most) {
    const auto score = scores[choice.trials].item<double>();
    if (score > best) {
      best = score;
      choice.index = choice.trials;
    }
    ++choice.trials;
    if (score >= threshold) break;
  }
  return choice;
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def(
      "goal_filter(Tensor similarity, Tensor mask, float threshold=0., int skip=5) -> (Tensor keep, Tensor "
      "stop, Tensor tokens_saved, Tensor saved_fraction)",
      [](const Tensor& similarity, const Tensor& mask, double threshold, int64_t skip) {
        return as_tuple(goal_filter(similarity, mask, threshold, skip));
      },
      "Stops solutions that turn away from the goal.", {"14"});
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "filtered_majority_vote(Tensor answers, Tensor keep, Tensor? weight=None) -> (int answer, float votes, "
      "bool fallback)",
      [](const Tensor& answers, const Tensor& keep, const std::optional<Tensor>& weight) {
        return as_tuple(filtered_majority_vote(answers, keep, weight));
      },
      "Weighted majority vote among the answers that were kept.", {"14"});
  m.def("best_of_n(Tensor scores, Tensor? valid=None) -> (int index)", &best_of_scores,
        "The first best score among the valid ones.", {"57"});
  m.def("reflexion_select(Tensor scores, float threshold, int max_trials) -> (int index, int trials)",
        [](const Tensor& scores, double threshold, int64_t max_trials) {
          return as_tuple(reflexion_select(scores, threshold, max_trials));
        },
        "The best of repeated trials, stopping at a threshold.", {"57"});
}

}  // namespace plaudit
