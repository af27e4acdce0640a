// PPO on sentilang: fresh answers every few updates, token rewards, the clipped surrogate.
#include <ATen/ATen.h>

#include "plaudit/claim/instructions.h"
#include "plaudit/claim/sentilang_measures.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/masked.h"
#include "plaudit/objective/advantage.h"
#include "plaudit/objective/policy_gradient.h"
#include "plaudit/objective/returns.h"
#include "plaudit/objective/token_rewards.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct ReinforceOptions {
  std::string from = "reference", policy = "tuned";
  std::string reward = "gold";  // or instructions
  int64_t iterations = 60, rollouts = 256, epochs = 4;
  double learning_rate = 0.02, kl_coef = 0.05, clip = 0.2;
  int64_t evaluate_every = 0;  // iterations; 0: at the end alone
  int64_t prompts = 2000;
};

}  // namespace

template <>
void describe(OptionTable<ReinforceOptions>& t) {
  t.field("from", &ReinforceOptions::from, "the policy that it starts from, and its reference");
  t.field("policy", &ReinforceOptions::policy, "name of the tuned policy");
  t.field("reward", &ReinforceOptions::reward, "of a whole answer: gold, or whether its instruction is met",
          one_of({"gold", "instructions"}));
  t.field("iterations", &ReinforceOptions::iterations, "rounds of fresh answers", at_least(1));
  t.field("rollouts", &ReinforceOptions::rollouts, "answers of a round", at_least(2));
  t.field("epochs", &ReinforceOptions::epochs, "updates on the answers of a round", at_least(1));
  t.field("learning_rate", &ReinforceOptions::learning_rate, "of Adam", greater_than(0));
  t.field("kl_coef", &ReinforceOptions::kl_coef, "weight of the KL at each word", at_least(0));
  t.field("clip", &ReinforceOptions::clip, "of the ratio", greater_than(0));
  t.field("evaluate_every", &ReinforceOptions::evaluate_every, "rounds between measures; 0: at the end alone",
          at_least(0));
  t.field("prompts", &ReinforceOptions::prompts, "answers behind the measures", at_least(1));
}

namespace {

// What a round of updates looks at.
struct Rollouts {
  SentilangLines lines;
  at::Tensor old_logps, advantages, mask;
};

// Reward to go, less the mean of its instruction, over the deviation in the batch.
at::Tensor advantages_of(const at::Tensor& rewards, const at::Tensor& mask, const at::Tensor& groups) {
  auto returns = returns_to_go(rewards, mask);
  const auto row_groups = groups.unsqueeze(1).expand_as(returns);
  for (int64_t g = 0; g <= groups.max().item<int64_t>(); ++g) {
    const auto own = mask.logical_and(row_groups.eq(g));
    returns = at::where(own, returns - masked_mean(returns, own), returns);
  }
  return masked_whiten(returns, mask);
}

class Rounds {
 public:
  Rounds(const ReinforceOptions& options, const NgramPolicy& policy, at::Tensor ref_log_probs, Rng rng)
      : options_(options),
        policy_(policy),
        ref_log_probs_(std::move(ref_log_probs)),
        groups_(ref_log_probs_.size(0) / NgramPolicy::rows_per_group),
        rng_(rng) {}

  StepLoss loss() {
    if (step_++ % options_.epochs == 0) sample();
    const auto logps = answer_values(policy_.log_probs(), now_.lines);
    const auto loss =
        ppo_clip_loss(logps, now_.old_logps, now_.advantages, now_.mask, {.clip = {.low = options_.clip}})
            .loss;
    return {loss, 1, {}};
  }

 private:
  void sample() {
    const at::NoGradGuard no_grad;
    auto rng = rng_.child(step_);
    const auto log_probs = policy_.log_probs();
    const auto prompts = sentilang_prompts(options_.rollouts, rng);
    const auto groups = (rng.uniform_tensor({options_.rollouts}, at::kDouble) * groups_).to(at::kLong);
    now_.lines = sample_answers(log_probs, prompts, rng, groups);
    now_.mask = now_.lines.mask();
    now_.old_logps = answer_values(log_probs, now_.lines);
    now_.advantages = advantages_of(rewards(), now_.mask, groups);
  }

  at::Tensor rewards() const {
    const auto ref_logps = answer_values(ref_log_probs_, now_.lines);
    if (options_.reward == "instructions")
      return rlvr_token_rewards(instructions_met(now_.lines).to(at::kDouble), now_.lines.ended(),
                                now_.old_logps, ref_logps, now_.mask, {.beta = options_.kl_coef})
          .rewards;
    return kl_shaped(gold_rewards(now_.lines), now_.old_logps, ref_logps, now_.mask,
                     {.kl_coef = options_.kl_coef, .clip_score = std::nullopt})
        .rewards;
  }

  const ReinforceOptions& options_;
  const NgramPolicy& policy_;
  at::Tensor ref_log_probs_;
  int64_t groups_;
  Rng rng_;
  int64_t step_ = 0;
  Rollouts now_;
};

void run_reinforce(const ReinforceOptions& o, RunContext& context) {
  const auto& reference = context.get<NgramPolicy>(o.from);
  const auto ref_log_probs = reference.log_probs().detach();
  const auto policy = reference.clone();
  Rounds rounds(o, policy, ref_log_probs, context.rng("rollouts"));
  const auto measure = [&](int64_t iteration, const std::string& suffix) {
    const auto streams = context.rng("measure").child(iteration);
    auto prompts = streams.child("prompts");
    report_measures(measure_policy(policy.logits().detach(), ref_log_probs,
                                   sentilang_prompts(o.prompts, prompts), streams.child("answers")),
                    suffix, context);
  };
  TableTraining training{.steps = o.iterations * o.epochs, .batch = 0, .learning_rate = o.learning_rate};
  if (o.evaluate_every > 0)
    for (int64_t i = o.evaluate_every; i <= o.iterations; i += o.evaluate_every)
      training.evaluate_at.push_back(i * o.epochs);
  train_table(
      "reinforce", policy.parameters(), 1, training, context.rng("order"),
      [&](const std::vector<int64_t>&) { return rounds.loss(); },
      [&](int64_t step) { measure(step / o.epochs, fmt::format("@{}", step / o.epochs)); });
  if (o.reward == "gold") measure(o.iterations, "");
  context.put(o.policy, policy);
}

PLAUDIT_STAGE(reinforce, ReinforceOptions,
              {
                  .doc = "PPO of an n-gram policy on sentilang.",
                  .reads = [](const ReinforceOptions& o) { return Names{o.from}; },
                  .writes = [](const ReinforceOptions& o) { return Names{o.policy}; },
                  .run = run_reinforce,
              });

}  // namespace
}  // namespace plaudit
