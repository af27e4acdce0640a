// train: whatever is learnt by gradients. The objective's name chooses data, model and loss.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/core/interrupt.h"
#include "plaudit/core/log.h"
#include "plaudit/run/course.h"
#include "plaudit/run/option_use.h"
#include "plaudit/run/records_artefact.h"
#include "plaudit/run/scored_answers.h"
#include "plaudit/run/shared_references.h"
#include "plaudit/run/watch.h"
#include "plaudit/train/offline.h"
#include "plaudit/train/policy_gradient.h"
#include "plaudit/train/preference.h"
#include "plaudit/train/ranked_preference.h"
#include "plaudit/train/reward.h"
#include "plaudit/train/supervised.h"
#include "plaudit/train/unpaired.h"
#include "plaudit/train/value.h"

namespace plaudit {

struct TrainStage {
  std::string objective = "dpo";
  std::string data;  // "": what the objective usually reads
  PreferenceLossOptions loss = {};
  double sft_weight = 0;
  double td_weight = 0, discount = 1;
  std::string reference = "auto";
  std::string reference_file = "";
  int64_t ref_sync_steps = 0;
  double ref_sync_mix = 0.6;
  double desirable_weight = 1, undesirable_weight = 1;
  double center_coef = 0;
  bool use_margins = false;
  bool normalise = true;
  AnswerOptions answers = {};
  TrainOptions training = {};
  ValueTrainingOptions value = {};
  OfflineOptions offline = {};
  PolicyGradientOptions gradient = {};
  std::optional<RolloutChoice> rollout = {};
  std::optional<WatchOptions> watch = {};
};

namespace {

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

// "" for answers that are drawn while training.
std::string data_of(const TrainStage& stage) {
  if (!stage.data.empty() || is_policy_gradient(stage)) return stage.data;
  if (is_value(stage) || is_alol(stage)) return "scores";
  return is_sft(stage)      ? "demonstrations"
         : is_kto(stage)    ? "unpaired"
         : is_ranked(stage) ? "ranked"
                            : "pairs";
}

// Options of the reference, for every objective that has one.
const std::vector<std::string> reference_keys = {"reference", "reference_file", "ref_sync_steps",
                                                 "ref_sync_mix"};

std::vector<std::string> objective_names() {
  auto names = preference_loss_names();
  names.insert(names.begin(), {"sft", "reward", "kto", "plackett-luce", "value", "a-lol", "policy-gradient"});
  return names;
}

}  // namespace

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
  t.field("reference", &TrainStage::reference,
          "where the reference's log-probabilities come from: cached (computed once), adapter_off, copy, "
          "free (none), or auto (cached where the loss needs them)",
          one_of({"auto", "cached", "adapter_off", "copy", "free"}));
  t.field("reference_file", &TrainStage::reference_file,
          "with reference cached: a file that runs on the same data and model share; one of other data or "
          "another model is refused; empty: the run's own, copied from a run beside it that has computed it");
  t.field("ref_sync_steps", &TrainStage::ref_sync_steps,
          "pairs, with reference copy: updates between its moves towards the policy; 0: never", at_least(0));
  t.field("ref_sync_mix", &TrainStage::ref_sync_mix, "share of the policy in such a move", between(0, 1));
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

namespace {

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

// The pairs whose label says which answer is the better one; the others are counted.
PreferencePairs decided_pairs(RunContext& context) {
  PreferencePairs out;
  const auto& pairs = context.get<PreferencePairs>("pairs");
  std::copy_if(pairs.begin(), pairs.end(), std::back_inserter(out),
               [](const auto& pair) { return pair.label != 0.5; });
  if (out.empty() && !pairs.empty())
    fail(ErrorKind::value, "train", "every pair has label 0.5, so no answer is the better one");
  if (out.size() < pairs.size())
    context.summary().rejected("pairs with label 1/2", static_cast<int64_t>(pairs.size() - out.size()));
  return out;
}

std::vector<Demonstration> demonstrations_of(const TrainStage& stage, RunContext& context) {
  if (data_of(stage) == "demonstrations") return context.get<Demonstrations>("demonstrations");
  std::vector<Demonstration> out;
  for (const auto& pair : decided_pairs(context))
    out.push_back({pair.prompt, pair.label > 0.5 ? pair.chosen : pair.rejected, pair.weight, pair.extra});
  return out;
}

UnpairedFeedbacks feedback_of(const TrainStage& stage, RunContext& context) {
  if (data_of(stage) == "unpaired") return context.get<UnpairedFeedbacks>("unpaired");
  UnpairedFeedbacks out;
  for (const auto& pair : decided_pairs(context)) {
    if (pair.weight != 1)
      fail(ErrorKind::value, "data",
           fmt::format("pairs of objective kto have no weights of their own, one has {}", pair.weight));
    out.push_back({pair.prompt, pair.chosen, pair.label > 0.5, pair.extra});
    out.push_back({pair.prompt, pair.rejected, pair.label < 0.5, pair.extra});
  }
  return out;
}

// Scored answers as training reads them; what could not be judged is left out and counted.
std::vector<ScoredExample> scored_examples(const Policy& policy, std::vector<std::string>& objectives,
                                           RunContext& context) {
  int64_t failed = 0;
  const auto scored = judged_alone(context.get<ScoredAnswers>("scores"), failed);
  if (failed > 0) context.summary().rejected("answers without a score", failed);
  objectives = scored.objectives;
  std::vector<ScoredExample> out;
  for (size_t i = 0; i < scored.scores.size(); ++i)
    out.push_back({tokenized(policy.model, scored.answers, i), scored.scores[i]});
  return out;
}

std::unique_ptr<Objective> alol_objective(const TrainStage& stage, const Policy& policy,
                                          RunContext& context) {
  std::vector<std::string> objectives;
  const auto examples = scored_examples(policy, objectives, context);
  if (examples.empty()) fail(ErrorKind::empty, "scores", "hold no answer that was judged");
  auto expected = at::zeros({static_cast<int64_t>(examples.size())}, at::kDouble);
  if (!weighs_rewards(stage.offline)) {
    const auto& values = context.get<ValueModel>("value_model");
    values.check_policy(policy.model);
    if (objectives != values.objectives())
      fail(ErrorKind::value, "scores", "are of other objectives than the value model's");
    std::vector<const TokenizedAnswers*> prompts;
    for (const auto& example : examples) prompts.push_back(&example.tokens);
    expected = prompt_values(values, policy.model, prompts).sum(1);
  }
  std::vector<AdvantageExample> advantages;
  for (size_t i = 0; i < examples.size(); ++i)
    for (size_t k = 0; k < examples[i].scores.size(); ++k) {
      double reward = 0;
      for (const auto score : examples[i].scores[k]) reward += score;
      advantages.push_back({{examples[i].tokens.prompt, {examples[i].tokens.answers[k]}},
                            reward - expected[static_cast<int64_t>(i)].item<double>()});
    }
  auto objective = std::make_unique<OfflineObjective>(
      policy.model, std::move(advantages), stage.training.epochs, context.rng("draws"), stage.offline);
  context.summary().metric("a-lol/kept", objective->kept_fraction());
  return objective;
}

std::unique_ptr<Objective> gradient_objective(const TrainStage& stage, const Policy& policy,
                                              RunContext& context) {
  std::vector<Prompt> prompts;
  std::vector<Json> extra;
  for (auto& record : load_prompt_records(stage.rollout->prompts, context)) {
    prompts.push_back(std::move(record.prompt));
    extra.push_back(std::move(record.extra));
  }
  return std::make_unique<PolicyGradientObjective>(
      policy.model, std::move(prompts), std::move(extra), make_judge(stage.rollout->judge, context),
      stage.rollout->sampling, stage.gradient, context.rng("rollouts"));
}

// What all objectives with a reference name alike.
template <class Options>
void take_reference(const TrainStage& stage, Options& options) {
  options.reference = stage.reference;
  options.reference_file = stage.reference_file;
  options.ref_sync_steps = stage.ref_sync_steps;
  options.ref_sync_mix = stage.ref_sync_mix;
  options.answers = stage.answers;
}

std::unique_ptr<Objective> policy_objective(const TrainStage& stage, const Policy& policy,
                                            RunContext& context) {
  if (is_policy_gradient(stage)) return gradient_objective(stage, policy, context);
  if (is_alol(stage)) return alol_objective(stage, policy, context);
  if (is_sft(stage))
    return std::make_unique<SupervisedObjective>(
        policy.model, demonstrations_of(stage, context),
        SupervisedOptions{stage.answers, stage.td_weight, stage.discount});
  if (is_kto(stage)) {
    UnpairedOptions options;
    options.beta = stage.loss.beta.value_or(options.beta);
    options.desirable_weight = stage.desirable_weight;
    options.undesirable_weight = stage.undesirable_weight;
    take_reference(stage, options);
    return std::make_unique<UnpairedObjective>(policy.model, feedback_of(stage, context), options);
  }
  if (is_ranked(stage)) {
    RankedPreferenceOptions options;
    options.beta = stage.loss.beta.value_or(options.beta);
    take_reference(stage, options);
    return std::make_unique<RankedPreferenceObjective>(policy.model, context.get<RankedLists>("ranked"),
                                                       options);
  }
  PreferenceOptions options;
  options.loss = stage.objective;
  options.settings = stage.loss;
  options.sft_weight = stage.sft_weight;
  take_reference(stage, options);
  return std::make_unique<PreferenceObjective>(policy.model, context.get<PreferencePairs>("pairs"), options);
}

std::unique_ptr<RewardObjective> reward_objective(const TrainStage& stage, const RecipeRewardModel& reward,
                                                  RunContext& context) {
  RewardObjectiveOptions options;
  options.label_smoothing = stage.loss.label_smoothing.value_or(0);
  options.center_coef = stage.center_coef;
  options.use_margins = stage.use_margins;
  if (data_of(stage) == "ranked")
    return std::make_unique<RewardObjective>(reward.model, context.get<RankedLists>("ranked"), options);
  return std::make_unique<RewardObjective>(reward.model, context.get<PreferencePairs>("pairs"), options);
}

TrainResult run_loop(Objective& objective, const TrainStage& stage, Watch* watch, RunContext& context) {
  auto& ranks = context.ranks();
  Course course;
  TrainContext surroundings{.rng = context.rng("order"), .folder = context.folder() + "/checkpoints"};
  surroundings.collective = {ranks.rank(), ranks.world(),
                             [&](std::vector<at::Tensor>& tensors) { ranks.all_reduce_sum(tensors); }};
  surroundings.metrics = [&](int64_t step, const std::map<std::string, double>& metrics) {
    context.log(step, metrics);
    course.add(step, metrics);
  };
  surroundings.progress = [&](int64_t done, int64_t total, const std::string& what) {
    // The loop's line carries the loss, which changes with each update: here it stands beside the bar's name.
    context.progress(done, total, what.rfind(objective.name() + " loss", 0) == 0 ? objective.name() : what);
  };
  surroundings.interrupt = [&] { return context.interrupted(); };
  surroundings.shared_references = [&](const std::string& key) {
    return references_beside(key, stage.training.tokens_per_batch, context);
  };
  if (watch) surroundings.evaluate = [&](int64_t step) { return watch->measure(step); };
  surroundings.save_state = [&] {
    return Json{{"course", course.points}, {"watch", watch ? watch->state() : Json::array()}};
  };
  surroundings.load_state = [&](const Json& state) {
    course.points = state.at("course");
    if (watch) watch->restore(state.at("watch"));
  };
  auto training = stage.training;
  if (is_alol(stage)) training.epochs = 1;  // its draws are those of all epochs
  const auto result = train(objective, training, surroundings);
  if (result.interrupted) throw InterruptedError("stopped in " + context.id() + " after a checkpoint");

  auto& report = context.report();
  report.heading("Training: " + stage.objective);
  course.draw(report, "Loss", {"loss"});
  course.draw(report, "Squared error of the values, in variances of the reward",
              {"prompt_error", "end_error"});
  course.draw(report, "Mean score of the answers that it learns from", {"score"});
  course.draw(report, "Shares of answers", {"ended", "signal", "unjudged"});
  course.draw(report, "Distance from the start, nats per answer", {"kl"});
  course.draw(report, "Rewards",
              {"rewards/chosen", "rewards/rejected", "rewards/desirable", "rewards/undesirable"});
  course.draw(report, "Share of pairs that are ranked right", {"accuracy", "rewards/accuracy"});
  return result;
}

void summarise(const TrainResult& result, const Objective& objective, RunContext& context) {
  auto& summary = context.summary();
  const auto prefix = "train/" + objective.name() + "/";
  summary.metric(prefix + "updates", static_cast<double>(result.steps));
  if (result.seconds > 0)
    summary.metric(prefix + "tokens_per_second", static_cast<double>(result.tokens) / result.seconds);
  if (result.skipped > 0) summary.rejected("updates with a loss that is not finite", result.skipped);
  for (const auto& [name, value] : result.metrics)
    if (std::isfinite(value)) summary.metric(prefix + name, value);
  const std::map<std::string, std::string> worth_saying = {
      {"dropped", "examples above max_length"},
      {"prompts_cut", "examples with a prompt cut short"},
      {"answers_cut", "examples with an answer cut short"},
      {"no_advantage", "answers without an advantage"},
      {"equal_answers", "examples that compare equal answers"},
      {"undecided", "pairs with label 1/2"},
      {"tied", "lists whose answers are all alike good"},
      {"tied_answers", "answers that tie with another of their list"},
      {"short_lists", "lists with fewer than two answers that differ"}};
  for (const auto& [name, count] : objective.counts()) {
    if (name == "token_rewards_agree")
      summary.metric(prefix + "token_rewards/agreement",
                     static_cast<double>(count) / static_cast<double>(objective.size()));
    const auto text = worth_saying.find(name);
    if (text != worth_saying.end() && count > 0) summary.rejected(text->second, count);
  }
}

void train_reward_model(const TrainStage& stage, RunContext& context) {
  auto& reward = context.edit<RecipeRewardModel>("reward_model");
  const auto objective = reward_objective(stage, reward, context);
  summarise(run_loop(*objective, stage, nullptr, context), *objective, context);
  if (!stage.normalise) return;
  const auto rewards = objective->answer_rewards(stage.training.tokens_per_batch).to(at::kDouble);
  const double spread = rewards.std(/*unbiased=*/false).item<double>();
  if (!(spread > 0)) fail(ErrorKind::value, "normalise", "is not possible: all answers have the same reward");
  reward.model->set_scale(rewards.mean().item<double>(), spread);
}

// Where one kind of answer is much rarer, KTO mostly learns of the other, and nothing else shows it.
void note_weights(const UnpairedObjective& objective, RunContext& context) {
  const double ratio = objective.weight_ratio();
  context.summary().metric("train/kto/weight_ratio", ratio);
  if (ratio >= 1 && ratio <= 4.0 / 3) return;
  const auto text = fmt::format(
      "desirable answers weigh {:.3g} times the undesirable ones in all; the authors of KTO advise 1 to 4/3: "
      "set "
      "desirable_weight or undesirable_weight",
      ratio);
  warn(text);
  context.report().paragraph(text + ".");
}

void train_policy(const TrainStage& stage, RunContext& context) {
  auto& policy = context.edit<Policy>("policy");
  const auto objective = policy_objective(stage, policy, context);
  std::unique_ptr<Watch> watch;
  if (stage.watch) {
    const auto reward =
        context.has("reward_model") ? context.get<RecipeRewardModel>("reward_model").model : nullptr;
    watch = std::make_unique<Watch>(*stage.watch, policy, reward, context);
  }
  summarise(run_loop(*objective, stage, watch.get(), context), *objective, context);
  if (const auto* unpaired = dynamic_cast<const UnpairedObjective*>(objective.get()))
    note_weights(*unpaired, context);
  if (const auto* gradient = dynamic_cast<const PolicyGradientObjective*>(objective.get())) {
    for (const auto& [reason, count] : gradient->unjudged())
      context.summary().rejected("answers not judged: " + reason, count);
    if (!gradient->judged())
      fail(ErrorKind::empty, "rollout",
           "the judge could judge no answer, so nothing was learnt: " + gradient->unjudged().begin()->first);
  }
  if (watch) watch->report(context.report());
}

void train_value_model(const TrainStage& stage, RunContext& context) {
  const auto& policy = context.get<Policy>("policy");
  std::vector<std::string> objectives;
  auto examples = scored_examples(policy, objectives, context);
  ValueModel values(policy.model, objectives, stage.value.width, context.rng("value").next());
  values.set_positions(stage.value.positions);
  ValueObjective objective(policy.model, values, std::move(examples), stage.value);
  summarise(run_loop(objective, stage, nullptr, context), objective, context);
  context.put("value_model", std::move(values));
}

void save_value_model(const ValueModel& values, const std::string& folder) {
  values.save(folder);
}

PLAUDIT_ARTEFACT(ValueModel, "value model", &save_value_model, &ValueModel::load);

void run_train(const TrainStage& stage, RunContext& context) {
  if (is_value(stage)) return train_value_model(stage, context);
  if (is_reward(stage))
    train_reward_model(stage, context);
  else
    train_policy(stage, context);
}

PLAUDIT_STAGE(train, TrainStage,
              {
                  .doc = "Trains the policy, or the reward model, by gradients.",
                  .reads = train_reads,
                  .writes = train_writes,
                  .check = check_train,
                  .run = run_train,
              });

}  // namespace
}  // namespace plaudit
