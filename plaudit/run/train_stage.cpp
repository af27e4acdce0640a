#include "plaudit/run/train_stage.h"

#include "plaudit/run/option_use.h"
#include "plaudit/train/preference_losses.h"
#include "plaudit/train/reference_logps.h"

namespace plaudit {
namespace {

// Options of the reference, for every objective that has one.
const std::vector<std::string> reference_keys = {"reference", "reference_file", "ref_sync_steps",
                                                 "ref_sync_mix"};

std::vector<std::string> objective_names() {
  auto names = preference_loss_names();
  names.insert(names.begin(), {"sft", "reward", "kto", "plackett-luce", "value", "a-lol", "policy-gradient"});
  return names;
}

}  // namespace

bool is_reward(const TrainStage& stage) {
  return stage.objective == "reward";
}
bool is_sft(const TrainStage& stage) {
  return stage.objective == "sft";
}
bool is_kto(const TrainStage& stage) {
  return stage.objective == "kto";
}
bool is_ranked(const TrainStage& stage) {
  return stage.objective == "plackett-luce";
}
bool is_value(const TrainStage& stage) {
  return stage.objective == "value";
}
bool is_alol(const TrainStage& stage) {
  return stage.objective == "a-lol";
}
bool is_policy_gradient(const TrainStage& stage) {
  return stage.objective == "policy-gradient";
}

std::string data_of(const TrainStage& stage) {
  if (!stage.data.empty() || is_policy_gradient(stage)) return stage.data;
  if (is_value(stage) || is_alol(stage)) return "scores";
  return is_sft(stage)      ? "demonstrations"
         : is_kto(stage)    ? "unpaired"
         : is_ranked(stage) ? "ranked"
                            : "pairs";
}

template <>
void describe(OptionTable<TrainStage>& t) {
  t.field("objective", &TrainStage::objective,
          "sft (demonstrations), reward (the reward model, on pairs or ranked lists), kto (unpaired "
          "feedback), plackett-luce (DPO on ranked lists), value (a value model, on scores), a-lol (offline "
          "policy gradient, on scores with a value model; its baselines without), policy-gradient (online: "
          "the policy answers, a judge "
          "or verifier scores), or a loss on pairs",
          one_of(objective_names()));
  t.field(
      "data", &TrainStage::data,
      "which records: demonstrations or pairs (their chosen answers) for sft, pairs or ranked for reward, "
      "unpaired or pairs (each answer by itself) for kto; empty: the first of these",
      one_of({"", "demonstrations", "pairs", "ranked", "unpaired", "scores"}));
  t.include(&TrainStage::loss);
  t.field("sft_weight", &TrainStage::sft_weight,
          "pairs: adds this times the negative log-likelihood per token of the chosen answer", at_least(0));
  t.field(
      "td_weight", &TrainStage::td_weight,
      "sft: weight of the temporal-difference term of inverse reinforcement learning; 0: likelihood alone",
      at_least(0));
  t.field("discount", &TrainStage::discount, "sft with td_weight: discount of the next value", between(0, 1));
  describe_reference(t);
  t.field("desirable_weight", &TrainStage::desirable_weight, "kto: weight of desirable answers",
          greater_than(0));
  t.field("undesirable_weight", &TrainStage::undesirable_weight, "kto: weight of undesirable answers",
          greater_than(0));
  t.field("center_coef", &TrainStage::center_coef,
          "reward: weight of the squared sum of both rewards, which keeps them around 0", at_least(0));
  t.field("use_margins", &TrainStage::use_margins,
          "reward: ask for a difference as large as the records say");
  t.field("normalise", &TrainStage::normalise,
          "reward: scale scores so that the answers of the training data have mean 0 and variance 1");
  t.field("answers", &TrainStage::answers, "lengths (of a reward model: in its own section)");
  t.include(&TrainStage::training);
  t.include(&TrainStage::value);
  t.include(&TrainStage::offline);
  t.include(&TrainStage::gradient);
  t.field("rollout", &TrainStage::rollout,
          "policy-gradient: prompts, judge and sampling of the answers: {prompts: FILE, judge: verifier, "
          "per_prompt: 8, max_new_tokens: 64}");
  t.field("watch", &TrainStage::watch,
          "sample and judge the policy every evaluate_every updates: {prompts: FILE, judge: lexicon}");
}

Names train_reads(const TrainStage& stage) {
  Names names = {is_reward(stage) ? "reward_model" : "policy"};
  if (!data_of(stage).empty()) names.insert(names.begin(), data_of(stage));
  if (is_policy_gradient(stage) && stage.rollout)
    for (const auto& name : judge_reads(stage.rollout->judge)) names.push_back(name);
  if (is_alol(stage) && !weighs_rewards(stage.offline)) names.push_back("value_model");
  if (stage.watch) {
    names.push_back("reward_model?");
    for (const auto& name : judge_reads(stage.watch->judge)) names.push_back(name);
  }
  return names;
}

Names train_writes(const TrainStage& stage) {
  return {is_reward(stage) ? "reward_model" : is_value(stage) ? "value_model" : "policy"};
}

namespace {

void check_variant(const OfflineOptions& o) {
  const OfflineOptions defaults;
  const auto refuse = [&](const char* key) {
    fail(ErrorKind::value, key, "is not used by variant " + o.variant);
  };
  if (o.clip != defaults.clip && o.variant != "alol" && o.variant != "seq" && o.variant != "r_lol")
    refuse("importance_clip");
  if (o.kl_coef != defaults.kl_coef && o.variant != "kl") refuse("kl_weight");
}

void check_reference(const TrainStage& stage) {
  if (stage.ref_sync_steps > 0 && stage.reference != "copy")
    fail(ErrorKind::value, "ref_sync_steps", "needs reference: copy, got " + stage.reference);
  if (stage.ref_sync_steps == 0 && stage.ref_sync_mix != TrainStage{}.ref_sync_mix)
    fail(ErrorKind::value, "ref_sync_mix", "is not used without ref_sync_steps");
  if (!stage.reference_file.empty() && stage.reference != "cached" && stage.reference != "auto")
    fail(ErrorKind::value, "reference_file", "is not used with reference: " + stage.reference);
}

}  // namespace

void check_train(const TrainStage& stage) {
  const auto common = joined({{"objective", "data"}, keys_of<TrainOptions>()});
  if (is_reward(stage)) {
    refuse_unused(stage, "objective reward",
                  joined({common, {"label_smoothing", "center_coef", "use_margins", "normalise"}}));
    if (data_of(stage) != "pairs" && data_of(stage) != "ranked")
      fail(ErrorKind::value, "data", "of objective reward must be pairs or ranked");
    return;
  }
  const auto method = "objective " + stage.objective;
  if (is_value(stage)) {
    refuse_unused(stage, method, joined({common, keys_of<ValueTrainingOptions>()}));
    if (data_of(stage) != "scores") fail(ErrorKind::value, "data", "of " + method + " must be scores");
    return;
  }
  if (is_policy_gradient(stage)) {
    refuse_unused(stage, method, joined({common, keys_of<PolicyGradientOptions>(), {"rollout", "watch"}}));
    if (!stage.data.empty())
      fail(ErrorKind::value, "data", "is no option of " + method + ", which draws its own: see rollout");
    if (!stage.rollout)
      fail(ErrorKind::value, "rollout", "is needed: {prompts: FILE, judge: verifier, per_prompt: 8}");
    check_prompts(stage.rollout->prompts);
    check_judge(stage.rollout->judge);
  } else if (is_alol(stage)) {
    refuse_unused(stage, method, joined({common, keys_of<OfflineOptions>(), {"watch"}}));
    if (data_of(stage) != "scores") fail(ErrorKind::value, "data", "of " + method + " must be scores");
    check_variant(stage.offline);
  } else if (is_sft(stage)) {
    refuse_unused(stage, method, joined({common, {"td_weight", "discount", "answers", "watch"}}));
    if (stage.discount == 0) fail(ErrorKind::value, "discount", "must be above 0, got 0");
    if (stage.td_weight == 0 && stage.discount != 1)
      fail(ErrorKind::value, "discount", "is not used without td_weight");
    if (data_of(stage) != "demonstrations" && data_of(stage) != "pairs")
      fail(ErrorKind::value, "data", "of objective sft must be demonstrations or pairs");
  } else if (is_kto(stage)) {
    refuse_unused(stage, method,
                  joined({common,
                          reference_keys,
                          {"beta", "desirable_weight", "undesirable_weight"},
                          {"answers", "watch"}}));
    if (data_of(stage) != "unpaired" && data_of(stage) != "pairs")
      fail(ErrorKind::value, "data", "of objective kto must be unpaired or pairs");
  } else if (is_ranked(stage)) {
    refuse_unused(stage, method, joined({common, reference_keys, {"beta", "answers", "watch"}}));
    if (data_of(stage) != "ranked") fail(ErrorKind::value, "data", "of " + method + " must be ranked");
  } else {
    const auto& loss = find_preference_loss(stage.objective, stage.loss);
    refuse_unused(stage, method,
                  joined({common, loss.uses, reference_keys, {"sft_weight", "answers", "watch"}}));
    if (data_of(stage) != "pairs") fail(ErrorKind::value, "data", "of " + method + " must be pairs");
    if (stage.loss.alpha && stage.loss.divergence != "alpha")
      fail(ErrorKind::value, "alpha", "is not used without divergence alpha");
  }
  check_reference(stage);
  if (!stage.watch) return;
  check_prompts(stage.watch->prompts);
  check_judge(stage.watch->judge);
  if (stage.training.evaluate_every == 0)
    fail(ErrorKind::value, "watch", "needs evaluate_every: the number of updates between two looks");
  check_judged_prompts(stage.watch->prompts, {stage.watch->judge}, stage.watch->max_unjudged);
}

}  // namespace plaudit
