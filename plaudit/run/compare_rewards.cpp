#include "plaudit/run/compare_rewards.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>

#include "plaudit/core/errors.h"
#include "plaudit/data/reward_files.h"
#include "plaudit/eval/answer_reward_distance.h"
#include "plaudit/eval/reward_distance.h"
#include "plaudit/eval/sampled_values.h"
#include "plaudit/reward/canonical.h"

namespace plaudit {
namespace {

std::vector<std::string> names_of(const NamedRewards& rewards) {
  std::vector<std::string> out;
  for (const auto& [name, reward] : rewards) out.push_back(name);
  return out;
}

}  // namespace

std::vector<std::string> chosen_distances(const RewardDistanceStage& stage,
                                          const std::vector<std::string>& all) {
  return stage.distances.empty() ? all : stage.distances;
}

std::vector<ComparedReward::Measure> resampled_distances(const std::vector<CanonicalPair>& pairs,
                                                         const Tensor& weights, const Tensor& unit,
                                                         const RewardDistanceStage& stage,
                                                         RunContext& context) {
  const double order = stage.norm_order();
  const auto units = unit.max().item<int64_t>() + 1;
  std::vector<std::vector<double>> draws(pairs.size());
  for (int64_t i = 0; i < stage.resamples; ++i) {
    context.progress(i, stage.resamples, "resamples");
    context.throw_if_interrupted();
    auto rng = context.rng("bootstrap").child(i);
    const auto drawn = (rng.uniform_tensor({units}, at::kDouble) * static_cast<double>(units)).to(at::kLong);
    const auto rows = at::bincount(drawn, {}, units).to(at::kDouble).index_select(0, unit) * weights;
    // Units that were not drawn must not make a maximum.
    const auto kept = rows.nonzero().squeeze(1), row_weights = rows.index_select(0, kept) / rows.sum();
    for (size_t p = 0; p < pairs.size(); ++p)
      draws[p].push_back(weighted_distance(pairs[p].a.index_select(0, kept), pairs[p].b.index_select(0, kept),
                                           row_weights, order)
                             .item<double>());
  }
  std::vector<ComparedReward::Measure> out;
  for (size_t p = 0; p < pairs.size(); ++p) {
    const double value = weighted_distance(pairs[p].a, pairs[p].b, weights, order).item<double>();
    const auto points =
        at::quantile(at::tensor(draws[p], at::kDouble), at::tensor({0.025, 0.975}, at::kDouble));
    out.push_back({pairs[p].name, value, std::min(value, points[0].item<double>()),
                   std::max(value, points[1].item<double>())});
  }
  return out;
}

RewardComparison compare_on_tables(const RewardDistanceStage& stage) {
  const auto file = read_reward_tables(stage.tables);
  const double gamma = stage.gamma.value_or(file.gamma.value_or(0.99)), order = stage.norm_order();
  const auto names = names_of(file.rewards);
  const auto truth = find_truth(stage.truth, names);
  const auto& p = file.transition;
  const auto& trusted = file.rewards[truth].second;
  RewardComparison out{
      names[truth], fmt::format("{} states and {} actions, gamma {}", p.size(0), p.size(1), gamma), 0, {}};
  for (size_t i = 0; i < names.size(); ++i) {
    if (i == truth) continue;
    const auto& other = file.rewards[i].second;
    ComparedReward row{names[i], {}};
    const auto add = [&](const std::string& name, const Tensor& value) {
      row.measures.push_back({name, value.item<double>()});
    };
    for (const auto& kind : chosen_distances(stage, {"value", "minimal", "epic", "dard", "none"})) {
      if (kind == "epic")
        add("distance/epic", epic_distance(trusted, other, gamma));
      else if (kind == "dard")
        add("distance/dard", dard_distance(p, trusted, other, gamma));
      else
        add("distance/" + kind,
            starc_distance(p, trusted, other, gamma,
                           {.canonicalisation = kind, .norm_order = order, .distance_order = order}));
    }
    add("regret/worst_case", worst_case_regret(p, trusted, other, file.initial, gamma));
    add("regret/optimal_policy", regret(p, trusted, other, file.initial, gamma).normalised);
    out.rewards.push_back(std::move(row));
  }
  return out;
}

namespace {

// Canonical rewards [N] of a kind, by name.
std::map<std::string, Tensor> canonical_transitions(const std::string& kind, const RewardTransitions& file,
                                                    double gamma, const SampledValues& values) {
  std::map<std::string, Tensor> out;
  for (size_t i = 0; i < file.rewards.size(); ++i) {
    const auto& name = file.rewards[i].first;
    const auto& rewards = file.rewards[i].second;
    const auto inner = [&](const std::string& what) -> const Tensor& {
      const auto* found = file.find_inner("rewards_" + what + "/" + name);
      if (found == nullptr)
        fail(ErrorKind::value, "distances",
             kind + " needs rewards of inner draws: rewards_" + what + "/" + name + " is not in the file");
      return *found;
    };
    const auto index = static_cast<int64_t>(i);
    if (kind == "value")
      out[name] = canonicalise_value_sampled(rewards, values.values.select(1, index),
                                             values.next_values.select(2, index), gamma);
    else if (kind == "epic")
      out[name] =
          canonicalise_epic_sampled(rewards.mean(1), inner("state"), inner("next"), inner("all"), gamma);
    else if (kind == "dard")
      out[name] =
          canonicalise_dard_sampled(rewards.mean(1), inner("state"), inner("next"), inner("cross"), gamma);
    else
      out[name] = rewards.mean(1);
  }
  return out;
}

}  // namespace

RewardComparison compare_on_transitions(const RewardDistanceStage& stage, RunContext& context) {
  const auto file = read_reward_transitions(stage.transitions);
  const double gamma = stage.gamma.value_or(file.gamma.value_or(0.99));
  const auto names = names_of(file.rewards);
  const auto truth = find_truth(stage.truth, names);
  std::vector<Tensor> means;
  for (const auto& [name, rewards] : file.rewards) means.push_back(rewards.mean(1));
  auto rng = context.rng("features");
  const auto values = sampled_values(file.states, file.next_states, at::stack(means, 1), file.terminal, gamma,
                                     {.features = stage.features}, rng);
  const int64_t n = file.states.size(0);
  const auto weights = at::full({n}, 1 / static_cast<double>(n), at::kDouble),
             unit = at::arange(n, at::kLong);
  std::vector<std::string> possible = {"value", "none"};
  if (file.find_inner("rewards_all/" + names[truth]) != nullptr) possible.push_back("epic");
  if (file.find_inner("rewards_cross/" + names[truth]) != nullptr) possible.push_back("dard");

  RewardComparison out{names[truth],
                       fmt::format("{} transitions of {} numbers, gamma {}", n, file.states.size(1), gamma),
                       n,
                       {}};
  for (size_t i = 0; i < names.size(); ++i)
    if (i != truth) out.rewards.push_back({names[i], {}});
  std::vector<CanonicalPair> pairs;
  for (const auto& kind : chosen_distances(stage, possible)) {
    const auto canonical = canonical_transitions(kind, file, gamma, values);
    for (const auto& reward : out.rewards)
      pairs.push_back({"distance/" + kind, canonical.at(names[truth]), canonical.at(reward.name)});
  }
  const auto measures = resampled_distances(pairs, weights, unit, stage, context);
  for (size_t i = 0; i < measures.size(); ++i)
    out.rewards[i % out.rewards.size()].measures.push_back(measures[i]);
  return out;
}

}  // namespace plaudit
