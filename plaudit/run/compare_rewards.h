// The sources that the stage `reward_distance` compares rewards on.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/run/stage.h"

namespace plaudit {

struct RewardDistanceStage {
  std::string tables, transitions, answers;
  std::vector<std::string> scores, reward_models;
  std::string truth;
  std::vector<std::string> distances;
  std::optional<double> gamma = {};
  std::string order = "2";
  int64_t features = 256, resamples = 200;

  double norm_order() const { return order == "inf" ? INFINITY : std::stod(order); }
};
template <>
void describe(OptionTable<RewardDistanceStage>& table);

// What one reward is, seen from the trusted one.
struct ComparedReward {
  std::string name;
  struct Measure {
    std::string name;  // "distance/value", "regret/worst_case"
    double value;
    std::optional<double> low = {}, high = {};  // 95 % interval
  };
  std::vector<Measure> measures;
};

struct RewardComparison {
  std::string truth;     // the name of the trusted reward
  std::string examples;  // "32 states, 4 actions"
  int64_t n = 0;         // transitions or prompts behind an interval
  std::vector<ComparedReward> rewards;
};

// The place of `truth` among the names; when it is empty that of "true", else the first. UserError (value),
// with the nearest name.
size_t find_truth(const std::string& truth, const std::vector<std::string>& names);

// The distances that the stage asks for; `all` of them when it names none.
std::vector<std::string> chosen_distances(const RewardDistanceStage& stage,
                                          const std::vector<std::string>& all);
// Two canonical rewards [N] and the name of their distance.
struct CanonicalPair {
  std::string name;
  at::Tensor a, b;
};
// weighted_distance (eval/answer_reward_distance.h) of each pair; its interval is that of drawing units,
// numbered from 0 by `unit` [N], with replacement, the same draws for all pairs.
std::vector<ComparedReward::Measure> resampled_distances(const std::vector<CanonicalPair>& pairs,
                                                         const at::Tensor& weights, const at::Tensor& unit,
                                                         const RewardDistanceStage& stage,
                                                         RunContext& context);

// On a finite MDP: exact.
RewardComparison compare_on_tables(const RewardDistanceStage& stage);
// On transitions that the rewards scored. The policy of `value` is the one whose actions they are.
RewardComparison compare_on_transitions(const RewardDistanceStage& stage, RunContext& context);
// On answers: their own scores, those of other files, those of reward models. Scores of a model are kept in
// the stage's folder, so that a resumed run does not compute them again.
RewardComparison compare_on_answers(const RewardDistanceStage& stage, RunContext& context);

}  // namespace plaudit
