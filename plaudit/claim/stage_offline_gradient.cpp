// Offline policy gradients on scored sentilang lines: the value of the reference, and training on what is
// better.
#include <ATen/ATen.h>

#include "plaudit/claim/sentilang_measures.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/data/episode_selection.h"
#include "plaudit/objective/sequence_policy.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct TopicValues {
  at::Tensor values;  // [43], the mean reward of answers on a topic; 0 at other words
};

struct TopicValuesOptions {
  std::string policy = "reference", into = "values";
  int64_t prompts = 1000;
};

struct OfflineGradientOptions {
  std::string lines = "corpus", from = "reference", values = "values", policy = "tuned";
  std::string variant = "alol";
  double clip = 0.9, kl_beta = 0.1, floor = 0.1;
  TableTraining training = {.steps = 600, .batch = 64, .learning_rate = 0.02};
  int64_t prompts = 1500;
};

const std::vector<std::string> advantage_variants = {"ref_free", "alol", "seq", "kl"};
const std::vector<std::string> reward_variants = {"wbc", "r_gold", "r_lol", "nll"};

bool holds(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::vector<std::string> all_variants() {
  auto out = advantage_variants;
  out.insert(out.end(), reward_variants.begin(), reward_variants.end());
  return out;
}

}  // namespace

template <>
void describe(OptionTable<TopicValuesOptions>& t) {
  t.field("policy", &TopicValuesOptions::policy, "whose answers are valued");
  t.field("into", &TopicValuesOptions::into, "name of the values");
  t.field("prompts", &TopicValuesOptions::prompts, "answers behind the values", at_least(1));
}

template <>
void describe(OptionTable<OfflineGradientOptions>& t) {
  using O = OfflineGradientOptions;
  t.field("lines", &O::lines, "the lines that are scored and learnt");
  t.field("from", &O::from, "the policy that it starts from, and its reference");
  t.field("values", &O::values, "the reference's values");
  t.field("policy", &O::policy, "name of the tuned policy");
  t.field("variant", &O::variant, "weighted by the advantage (ref_free, alol, seq, kl) or by the reward",
          one_of(all_variants()));
  t.field("clip", &O::clip, "of the importance, in alol, seq and r_lol", between(0, 1));
  t.field("kl_beta", &O::kl_beta, "of kl", at_least(0));
  t.field("floor", &O::floor, "of r_gold", between(0, 1));
  t.include(&O::training);
  t.field("prompts", &O::prompts, "answers behind the measures", at_least(1));
}

namespace {

void save_topic_values(const TopicValues& values, const std::string& folder) {
  save_safetensors(folder + "/values.safetensors", {{"values", values.values}});
}
TopicValues load_topic_values(const std::string& folder) {
  return {load_safetensors(folder + "/values.safetensors").tensors.at("values")};
}
PLAUDIT_ARTEFACT(TopicValues, "values of topics", &save_topic_values, &load_topic_values);

at::Tensor topics_of(const SentilangLines& lines) {
  return lines.tokens.select(1, 1);
}

void run_topic_values(const TopicValuesOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  auto prompts = context.rng("prompts"), answers = context.rng("answers");
  const auto lines = sample_answers(context.get<NgramPolicy>(o.policy).log_probs(),
                                    sentilang_prompts(o.prompts, prompts), answers);
  const auto topics = topics_of(lines);
  const auto sums = at::zeros({sentilang::vocabulary}, at::kDouble).index_add(0, topics, gold_rewards(lines));
  const auto counts = at::bincount(topics, {}, sentilang::vocabulary).to(at::kDouble);
  context.put(o.into, TopicValues{sums / counts.clamp_min(1)});
}

// Examples in the order of drawing: proportional to what their losses are weighted by.
std::vector<int64_t> drawn_examples(const OfflineGradientOptions& o, const at::Tensor& weights, Rng rng) {
  const auto uniforms = rng.uniform_tensor({o.training.steps * o.training.batch}, at::kDouble);
  const auto drawn = priority_draw(weights, uniforms).contiguous();
  const auto* first = drawn.const_data_ptr<int64_t>();
  return {first, first + drawn.numel()};
}

at::Tensor losses_of(const OfflineGradientOptions& o, const at::Tensor& logps, const at::Tensor& ref_logps,
                     const at::Tensor& mask, const at::Tensor& weights) {
  if (o.variant == "r_gold") return gold_loss(logps, mask, weights, o.floor).losses;
  if (o.variant == "nll" || o.variant == "wbc") return weighted_nll_loss(logps, mask, weights).losses;
  AlolOptions options{
      .variant = o.variant == "r_lol" ? "alol" : o.variant, .clip = o.clip, .kl_beta = o.kl_beta};
  return alol_loss(logps, ref_logps, mask, weights, options).losses;
}

void run_offline_gradient(const OfflineGradientOptions& o, RunContext& context) {
  const auto& lines = context.get<SentilangLines>(o.lines);
  const auto& reference = context.get<NgramPolicy>(o.from);
  const auto ref_log_probs = reference.log_probs().detach();
  const auto ref_logps = answer_values(ref_log_probs, lines);
  const auto rewards = gold_rewards(lines);
  const auto values = context.get<TopicValues>(o.values).values.index_select(0, topics_of(lines));
  const auto advantages = sequence_advantage(rewards, values, /*clamp=*/false);
  const auto kept = positive_advantage(advantages);
  const auto weights = holds(advantage_variants, o.variant) ? advantages.clamp_min(0)
                       : o.variant == "nll"                 ? at::ones_like(rewards)
                                                            : rewards;
  const auto drawn = drawn_examples(o, weights, context.rng("draws"));
  const auto policy = reference.clone();
  train_table("offline_gradient", policy.parameters(), static_cast<int64_t>(drawn.size()), o.training,
              context.rng("order"), [&](const std::vector<int64_t>& places) {
                std::vector<int64_t> examples;
                for (const auto place : places) examples.push_back(drawn[static_cast<size_t>(place)]);
                const auto index = index_tensor(examples);
                const auto batch = lines.pick(index);
                return mean_loss(losses_of(o, answer_values(policy.log_probs(), batch),
                                           ref_logps.index_select(0, index), batch.mask(),
                                           weights.index_select(0, index)));
              });
  auto prompts = context.rng("measure");
  report_measures(measure_policy(policy.logits().detach(), ref_log_probs,
                                 sentilang_prompts(o.prompts, prompts), prompts.child("answers")),
                  "", context);
  context.summary().metric("kept", kept.kept_fraction.item<double>());
  context.summary().metric("data_reward", rewards.mean().item<double>());
  context.put(o.policy, policy);
}

PLAUDIT_STAGE(topic_values, TopicValuesOptions,
              {
                  .doc = "The mean gold reward of a policy's sentilang answers on each topic.",
                  .reads = [](const TopicValuesOptions& o) { return Names{o.policy}; },
                  .writes = [](const TopicValuesOptions& o) { return Names{o.into}; },
                  .run = run_topic_values,
              });

PLAUDIT_STAGE(offline_gradient, OfflineGradientOptions,
              {
                  .doc = "Offline policy gradients of an n-gram policy on scored sentilang lines.",
                  .reads =
                      [](const OfflineGradientOptions& o) {
                        return Names{o.lines, o.from, o.values};
                      },
                  .writes = [](const OfflineGradientOptions& o) { return Names{o.policy}; },
                  .run = run_offline_gradient,
              });

}  // namespace
}  // namespace plaudit
