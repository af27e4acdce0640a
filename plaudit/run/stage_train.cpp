// train: whatever is learnt by gradients. Its options: train_stage.h.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/core/interrupt.h"
#include "plaudit/core/log.h"
#include "plaudit/run/course.h"
#include "plaudit/run/records_artefact.h"
#include "plaudit/run/scored_answers.h"
#include "plaudit/run/shared_references.h"
#include "plaudit/run/train_stage.h"
#include "plaudit/train/ranked_preference.h"
#include "plaudit/train/reward.h"
#include "plaudit/train/supervised.h"
#include "plaudit/train/unpaired.h"

namespace plaudit {
namespace {

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
