// Tables of rewards learnt from preferences, with a signed value term: optimism when labels can be asked for,
// pessimism when they cannot.
#include <ATen/ATen.h>

#include "plaudit/claim/table_draws.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/objective/kl_policy.h"
#include "plaudit/objective/vpo.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct RewardTableOptions {
  int64_t worlds = 4;
  std::string setting = "online";
  double alpha = 1;
  std::string value_term = "";  // "": as the setting wants it; the other: the wrong sign
  int64_t rounds = 60, steps_per_round = 30;
  int64_t pairs = 300, steps = 400;
};

}  // namespace

template <>
void describe(OptionTable<RewardTableOptions>& t) {
  t.field("worlds", &RewardTableOptions::worlds, "drawn from the seed, learnt side by side", at_least(1));
  t.field("setting", &RewardTableOptions::setting, "labels are asked for in rounds, or given once",
          one_of({"online", "offline"}));
  t.field("alpha", &RewardTableOptions::alpha, "weight of the value term", at_least(0));
  t.field("value_term", &RewardTableOptions::value_term, "its sign; empty: that of the setting",
          one_of({"", "online", "offline"}));
  t.field("rounds", &RewardTableOptions::rounds, "online: one pair per prompt in each", at_least(1));
  t.field("steps_per_round", &RewardTableOptions::steps_per_round, "online: updates", at_least(1));
  t.field("pairs", &RewardTableOptions::pairs, "offline: per world", at_least(1));
  t.field("steps", &RewardTableOptions::steps, "offline: updates", at_least(1));
}

namespace {

constexpr int64_t kPrompts = 10, kAnswers = 10;  // of a world
constexpr double kBeta = 0.1, kLabelScale = 4, kRidge = 1e-3, kRareLogit = -3, kLearningRate = 0.05;

// Worlds below each other: rows are prompts.
struct Worlds {
  at::Tensor rewards, ref_logps;  // [W*10,10]
};

Worlds draw_worlds(int64_t count, const Rng& rng) {
  std::vector<at::Tensor> rewards, logits;
  for (int64_t k = 0; k < count; ++k) {
    auto stream = rng.child(k);
    rewards.push_back(0.6 * stream.uniform_tensor({kPrompts, kAnswers}, at::kDouble));
    logits.push_back(stream.normal_tensor({kPrompts, kAnswers}, at::kDouble));
    for (int64_t x = 0; x < kPrompts; ++x) {
      const auto best = stream.below(kAnswers);
      rewards.back().index_put_({at::scalar_tensor(x, at::kLong), at::scalar_tensor(best, at::kLong)},
                                at::scalar_tensor(1.0, at::kDouble));
      logits.back().index_put_({at::scalar_tensor(x, at::kLong), at::scalar_tensor(best, at::kLong)},
                               at::scalar_tensor(kRareLogit, at::kDouble));
    }
  }
  return {at::cat(rewards), at::cat(logits).log_softmax(1)};
}

// E[r] - beta KL of each world, [W].
at::Tensor objective_of(const Worlds& worlds, const at::Tensor& logps) {
  const auto value = (logps.exp() * (worlds.rewards - kBeta * (logps - worlds.ref_logps))).sum(1);
  return value.view({-1, kPrompts}).mean(1);
}

class PairTable {
 public:
  void add(const at::Tensor& x, const at::Tensor& a, const at::Tensor& b, const Worlds& worlds, Rng& rng) {
    const auto differ = a.ne(b);
    const auto reward = [&](const at::Tensor& y) { return worlds.rewards.index({x, y}); };
    const auto p = (kLabelScale * (reward(a) - reward(b))).sigmoid();
    const auto label = (rng.uniform_tensor(p.sizes(), at::kDouble) < p).to(at::kDouble);
    const auto append = [&](at::Tensor& all, const at::Tensor& more) {
      const auto kept = more.masked_select(differ);
      all = all.defined() ? at::cat({all, kept}) : kept;
    };
    append(pairs.prompt, x);
    append(pairs.a, a);
    append(pairs.b, b);
    append(pairs.label, label);
  }
  TablePairs pairs;
};

// The loss of all worlds together. Their values are averaged over all prompts there, while each world's own
// mean is meant: alpha makes up for it.
at::Tensor loss_of(const RewardTableOptions& o, const at::Tensor& rewards, const Worlds& worlds,
                   const TablePairs& pairs) {
  const auto mode = o.value_term.empty() ? o.setting : o.value_term;
  const auto result = vpo_reward_objective(
      rewards, pairs, worlds.ref_logps, worlds.ref_logps,
      {.beta = kBeta, .alpha = o.alpha * static_cast<double>(o.worlds), .mode = mode}, kLabelScale);
  return result.loss + kRidge * rewards.pow(2).sum();
}

void report_worlds(const char* name, const at::Tensor& values, RunContext& context) {
  context.summary().metric(name, values.mean().item<double>());
  for (int64_t k = 0; k < values.size(0); ++k)
    context.summary().metric(fmt::format("{}/{}", name, k), values[k].item<double>());
}

void run_online(const RewardTableOptions& o, const Worlds& worlds, RunContext& context) {
  const auto rewards = at::zeros_like(worlds.rewards).set_requires_grad(true);
  const auto best = objective_of(worlds, kl_optimal_policy(worlds.ref_logps, worlds.rewards, kBeta).logps);
  const auto rows = at::arange(worlds.rewards.size(0), at::kLong);
  auto regret = at::zeros_like(best);
  PairTable table;
  auto rng = context.rng("labels");
  int64_t step = 0;
  const auto next_round = [&] {
    const at::NoGradGuard no_grad;
    const auto policy = kl_optimal_policy(worlds.ref_logps, rewards, kBeta).logps;
    regret += best - objective_of(worlds, policy);
    const auto a = draw_rows(policy.exp(), rng), b = draw_rows(worlds.ref_logps.exp(), rng);
    table.add(rows, a, b, worlds, rng);
  };
  train_table("reward_table", {{"rewards", rewards}}, 1,
              {.steps = o.rounds * o.steps_per_round, .batch = 0, .learning_rate = kLearningRate},
              context.rng("order"), [&](const std::vector<int64_t>&) {
                if (step++ % o.steps_per_round == 0) next_round();
                return StepLoss{loss_of(o, rewards, worlds, table.pairs), 1, {}};
              });
  report_worlds("regret", regret, context);
}

void run_offline(const RewardTableOptions& o, const Worlds& worlds, RunContext& context) {
  const auto rewards = at::zeros_like(worlds.rewards).set_requires_grad(true);
  PairTable table;
  for (int64_t k = 0; k < o.worlds; ++k) {
    auto rng = context.rng("labels").child(k);
    const auto x = (rng.uniform_tensor({o.pairs}, at::kDouble) * kPrompts).to(at::kLong) + k * kPrompts;
    const auto law = worlds.ref_logps.exp().index_select(0, x);
    const auto a = draw_rows(law, rng), b = draw_rows(law, rng);
    table.add(x, a, b, worlds, rng);
  }
  train_table("reward_table", {{"rewards", rewards}}, 1,
              {.steps = o.steps, .batch = 0, .learning_rate = kLearningRate}, context.rng("order"),
              [&](const std::vector<int64_t>&) {
                return StepLoss{loss_of(o, rewards, worlds, table.pairs), 1, {}};
              });
  const at::NoGradGuard no_grad;
  const auto value = [&](const at::Tensor& r) {
    return objective_of(worlds, kl_optimal_policy(worlds.ref_logps, r, kBeta).logps);
  };
  report_worlds("suboptimality", value(worlds.rewards) - value(rewards), context);
}

void run_reward_table(const RewardTableOptions& o, RunContext& context) {
  const auto worlds = draw_worlds(o.worlds, context.rng("world"));
  if (o.setting == "online")
    run_online(o, worlds, context);
  else
    run_offline(o, worlds, context);
}

PLAUDIT_STAGE(
    reward_table, RewardTableOptions,
    {
        .doc = "Learns tables of rewards from preferences with a signed value term: regret, sub-optimality.",
        .run = run_reward_table,
    });

}  // namespace
}  // namespace plaudit
