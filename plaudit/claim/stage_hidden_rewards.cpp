// How well distances between rewards foretell regret: pairs of rewards of random MDPs, the second hidden
// behind shaping and redistribution that change no order of policies.
#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "plaudit/core/safetensors.h"
#include "plaudit/env/tabular_worlds.h"
#include "plaudit/eval/correlation.h"
#include "plaudit/eval/reward_distance.h"
#include "plaudit/reward/canonical.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct HiddenRewardsOptions {
  int64_t worlds = 6, pairs = 3, steps = 8, states = 32, actions = 4;
  double gamma = 0.95, disguise = 3, scale = 10;
  std::string into = "hidden_rewards";
};

struct RewardDistanceRankOptions {
  std::string rewards = "hidden_rewards";
  std::string distance = "value";
};

// N pairs of rewards with the regret that one can cost the other.
struct HiddenRewards {
  Tensor transitions;     // [N,S,A,S]
  Tensor truth, learned;  // [N,S,A,S]
  Tensor regret;          // [N], worst-case
  Tensor gamma;           // scalar
};

void save_rewards(const HiddenRewards& r, const std::string& folder) {
  save_safetensors(folder + "/rewards.safetensors", {{"transitions", r.transitions},
                                                     {"truth", r.truth},
                                                     {"learned", r.learned},
                                                     {"regret", r.regret},
                                                     {"gamma", r.gamma}});
}
HiddenRewards load_rewards(const std::string& folder) {
  const auto t = load_safetensors(folder + "/rewards.safetensors").tensors;
  return {t.at("transitions"), t.at("truth"), t.at("learned"), t.at("regret"), t.at("gamma")};
}
PLAUDIT_ARTEFACT(HiddenRewards, "pairs of rewards with their regret", &save_rewards, &load_rewards);

}  // namespace

template <>
void describe(OptionTable<HiddenRewardsOptions>& t) {
  using O = HiddenRewardsOptions;
  t.field("worlds", &O::worlds, "random MDPs", at_least(1));
  t.field("pairs", &O::pairs, "of independent rewards in each", at_least(1));
  t.field("steps", &O::steps, "from the first reward of a pair to the second", at_least(1));
  t.field("states", &O::states, "of an MDP", at_least(2));
  t.field("actions", &O::actions, "of an MDP", at_least(2));
  t.field("gamma", &O::gamma, "discount", from_to_below(0, 1));
  t.field("disguise", &O::disguise, "largest norm of shaping and of redistribution, in norms of the reward",
          at_least(0));
  t.field("scale", &O::scale, "largest factor of the second reward", greater_than(0));
  t.field("into", &O::into, "name of the pairs");
}

template <>
void describe(OptionTable<RewardDistanceRankOptions>& t) {
  using O = RewardDistanceRankOptions;
  t.field("rewards", &O::rewards, "the pairs");
  t.field("distance", &O::distance, "STARC's by canonicalisation (value, minimal, none), EPIC's or DARD's",
          one_of({"value", "minimal", "none", "epic", "dard"}));
}

namespace {

// `direction` with the L2 norm u * size, u uniform up to `most`.
Tensor of_random_size(const Tensor& direction, double most, double size, Rng& rng) {
  return direction * (most * rng.uniform() * size / reward_norm(direction).item<double>());
}

// `reward` plus what changes no order of policies, times a factor.
Tensor disguised(const HiddenRewardsOptions& o, const Tensor& transition, const Tensor& reward, Rng& rng) {
  const double size = reward_norm(reward).item<double>();
  const auto noise = rng.normal_tensor(reward.sizes(), at::kDouble);
  const auto redistribution = noise - expect_next(transition, noise).unsqueeze(2);
  const auto shaping =
      potential_shaping(at::zeros_like(reward), rng.normal_tensor({o.states}, at::kDouble), o.gamma);
  const auto out = reward + of_random_size(redistribution, o.disguise, size, rng) +
                   of_random_size(shaping, o.disguise, size, rng);
  return out * (o.scale * rng.uniform());
}

void run_hidden_rewards(const HiddenRewardsOptions& o, RunContext& context) {
  const auto initial = at::full({o.states}, 1 / static_cast<double>(o.states), at::kDouble);
  std::vector<Tensor> transitions, truths, all_learned, regrets;
  for (int64_t world = 0; world < o.worlds; ++world) {
    auto rng = context.rng("world").child(world);
    const auto transition = random_transition(o.states, o.actions, rng);
    for (int64_t pair = 0; pair < o.pairs; ++pair) {
      const auto truth = rng.normal_tensor(transition.sizes(), at::kDouble),
                 other = rng.normal_tensor(transition.sizes(), at::kDouble);
      for (int64_t step = 1; step <= o.steps; ++step) {
        context.throw_if_interrupted();
        const double t = static_cast<double>(step) / static_cast<double>(o.steps);
        const auto learned = disguised(o, transition, (1 - t) * truth + t * other, rng);
        transitions.push_back(transition);
        truths.push_back(truth);
        all_learned.push_back(learned);
        regrets.push_back(worst_case_regret(transition, truth, learned, initial, o.gamma));
      }
    }
  }
  context.put(o.into, HiddenRewards{at::stack(transitions), at::stack(truths), at::stack(all_learned),
                                    at::stack(regrets), at::scalar_tensor(o.gamma, at::kDouble)});
}

Tensor distance_of(const std::string& kind, const HiddenRewards& r, int64_t i) {
  const double gamma = r.gamma.item<double>();
  const auto transition = r.transitions[i], truth = r.truth[i], learned = r.learned[i];
  if (kind == "epic") return epic_distance(truth, learned, gamma);
  if (kind == "dard") return dard_distance(transition, truth, learned, gamma);
  return starc_distance(transition, truth, learned, gamma, {.canonicalisation = kind});
}

void run_reward_distance_rank(const RewardDistanceRankOptions& o, RunContext& context) {
  const auto& r = context.get<HiddenRewards>(o.rewards);
  std::vector<Tensor> list;
  for (int64_t i = 0; i < r.regret.size(0); ++i) list.push_back(distance_of(o.distance, r, i));
  const auto distances = at::stack(list), ratio = r.regret / distances;
  auto& summary = context.summary();
  summary.metric("spearman", spearman(distances, r.regret).item<double>());
  summary.metric("least_ratio", ratio.min().item<double>());
  summary.metric("largest_ratio", ratio.max().item<double>());
  const auto order = distances.argsort();
  for (int64_t i = 0; i < order.size(0); ++i) {
    const auto at = order[i].item<int64_t>();
    summary.metric(fmt::format("distance@{}", i + 1), distances[at].item<double>());
    summary.metric(fmt::format("regret@{}", i + 1), r.regret[at].item<double>());
  }
}

PLAUDIT_STAGE(hidden_rewards, HiddenRewardsOptions,
              {
                  .doc = "Pairs of rewards of random MDPs, one of them disguised, with their exact regret.",
                  .writes = [](const HiddenRewardsOptions& o) { return Names{o.into}; },
                  .run = run_hidden_rewards,
              });

PLAUDIT_STAGE(reward_distance_rank, RewardDistanceRankOptions,
              {
                  .doc = "Whether a distance between rewards ranks pairs of them by their worst-case regret.",
                  .reads = [](const RewardDistanceRankOptions& o) { return Names{o.rewards}; },
                  .run = run_reward_distance_rank,
              });

}  // namespace
}  // namespace plaudit
