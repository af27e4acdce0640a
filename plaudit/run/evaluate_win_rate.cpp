#include <fmt/format.h>

#include <chrono>

#include "plaudit/data/revision.h"
#include "plaudit/eval/policy_answers.h"
#include "plaudit/eval/text_diversity.h"
#include "plaudit/plan/value_steering.h"
#include "plaudit/run/evaluate.h"

namespace plaudit {
namespace {

// Scores of both models, averaged over each prompt's answers.
struct Comparison {
  std::vector<double> policy, reference;
};

void add_comparison(const std::string& name, const Comparison& scores, RunContext& context) {
  auto& summary = context.summary();
  const auto rng = context.rng("bootstrap").child(name);
  add_metric(summary, name + "/policy", eval::bootstrap_mean(scores.policy, rng));
  add_metric(summary, name + "/reference", eval::bootstrap_mean(scores.reference, rng));
  add_metric(summary, name + "/gain", eval::bootstrap_difference(scores.policy, scores.reference, rng));
}

// Both models revise their answers, and are judged after each time; `first` are the scores of `after`.
void add_revisions(const EvaluateStage& stage, const Policy& policy, const ReferenceModel& reference,
                   PolicyAnswers after, PolicyAnswers before, const std::vector<double>& first, Judge& judge,
                   RunContext& context) {
  const auto instruction = stage.revise.empty() ? std::string(kReviseInstruction) : stage.revise;
  const auto prompts = after.prompts;
  const auto records = after.extra;
  const auto bootstrap = context.rng("bootstrap");
  const auto revise = [&](const LanguageModel& model, bool use_adapter, PolicyAnswers& answers, int64_t k) {
    std::vector<Prompt> asked;
    for (size_t i = 0; i < prompts.size(); ++i)
      asked.push_back(revision_prompt(prompts[i], answers.completions[i][0].text, instruction));
    answers = answer_prompts({model, use_adapter}, asked, stage.sampling, context.rng("revisions").child(k),
                             context.progress_of(fmt::format("revision {}", k)));
    answers.extra = records;
    return judge_scores(judge, answers);
  };
  for (int64_t k = 1; k <= stage.revisions; ++k) {
    const auto ours = revise(policy.model, true, after, k),
               theirs = revise(reference.model, reference.use_adapter, before, k);
    const auto name = [&](const char* what) { return fmt::format("{}@{}", what, k); };
    auto& summary = context.summary();
    add_metric(summary, name("judge/policy"), eval::bootstrap_mean(ours, bootstrap.child(name("policy"))));
    add_metric(summary, name("judge/reference"),
               eval::bootstrap_mean(theirs, bootstrap.child(name("reference"))));
    add_metric(summary, name("win_rate"), eval::win_rate(ours, theirs, bootstrap.child(name("wins"))));
    if (k == stage.revisions)
      add_metric(summary, "revision_gain",
                 eval::bootstrap_difference(ours, first, bootstrap.child("revision_gain")));
  }
}

void add_diversity(const std::string& who, const PolicyAnswers& answers, RunContext& context) {
  TokenLists texts;
  for (const auto& list : answers.completions)
    for (const auto& completion : list) texts.push_back(completion.ids);
  if (texts.size() < 2) fail(ErrorKind::empty, "diversity", "needs at least two answers");
  add_metric(
      context.summary(), "self_bleu/" + who,
      eval::bootstrap_mean(self_bleu(texts).per_sequence, context.rng("bootstrap").child("bleu " + who)));
  context.summary().metric("distinct_2/" + who, distinct_n(texts, 2));
}

std::shared_ptr<const Steering> steering_of(const EvaluateStage& stage, const Policy& policy,
                                            RunContext& context) {
  if (!stage.steer) return nullptr;
  const auto values = stage.value_folder.empty() ? context.get<ValueModel>("value_model")
                                                 : ValueModel::load(stage.value_folder);
  return std::make_shared<ValueSteering>(values, policy.model, stage.steer->beta, stage.steer->candidates);
}

// The distance that steering adds to that of the policy's own law: log steered/policy of each answer.
void add_steering(const PolicyAnswers& answers, std::vector<double>& ratios) {
  size_t next = 0;
  for (const auto& list : answers.completions)
    for (const auto& completion : list) {
      for (size_t t = 0; t < completion.ids.size(); ++t)
        ratios[next] += completion.logps[t] - completion.base_logps[t];
      ++next;
    }
}

// One measure of the report's table.
std::vector<std::string> row(const std::string& name, const Json& metric) {
  const auto number = [&](const char* key) {
    return metric.at(key).is_null() ? std::string() : fmt::format("{:.3f}", metric.at(key).get<double>());
  };
  return {name, number("value"), number("low"), number("high")};
}

}  // namespace

void evaluate_win_rate(const EvaluateStage& stage, RunContext& context) {
  const auto& policy = context.get<Policy>("policy");
  const auto reference = reference_of(policy, context);
  const auto judge = make_judge(stage.judge, context);
  const auto records = load_judged_prompts(stage.prompts, {judge.get()}, stage.max_unjudged, context);
  const auto per_prompt = stage.sampling.per_prompt;
  const auto rng = context.rng("answers");
  const auto answer = [&](AnswerSource source, const std::string& who) {
    const auto start = std::chrono::steady_clock::now();
    auto answers = answer_prompts(source, prompts_of(records), stage.sampling, rng,
                                  context.progress_of("answers of the " + who));
    for (const auto& record : records) answers.extra.push_back(record.extra);
    int64_t tokens = 0;
    for (const auto& list : answers.completions)
      for (const auto& completion : list) tokens += static_cast<int64_t>(completion.ids.size());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    context.summary().metric("sampling/" + who + "/tokens_per_second",
                             static_cast<double>(tokens) / seconds.count());
    return answers;
  };
  auto after = answer({policy.model, true, "auto", steering_of(stage, policy, context)}, "policy");
  auto before = answer({reference.model, reference.use_adapter}, "reference");

  std::vector<Judge*> judges = {judge.get()};
  std::optional<RewardModelJudge> proxy;
  if (context.has("reward_model"))
    judges.push_back(&proxy.emplace(context.get<RecipeRewardModel>("reward_model").model));
  const auto scores = judge_together(judges, {&after, &before}, stage.max_unjudged, context);
  const auto &judged_after = scores[0], &judged_before = scores[1];
  const Comparison judged = {prompt_means(judged_after, per_prompt), prompt_means(judged_before, per_prompt)};
  add_comparison("judge", judged, context);
  add_metric(context.summary(), "win_rate",
             eval::win_rate(judged.policy, judged.reference, context.rng("bootstrap").child("wins")));
  std::vector<double> rewarded_after, rewarded_before;
  if (proxy) {
    rewarded_after = scores[2];
    rewarded_before = scores[3];
    add_comparison("reward",
                   {prompt_means(rewarded_after, per_prompt), prompt_means(rewarded_before, per_prompt)},
                   context);
  }
  auto ratios = sequence_log_ratios(policy.model, reference.model, reference.use_adapter, after,
                                    kl_temperature(stage.sampling));
  if (stage.steer) add_steering(after, ratios);
  add_metric(context.summary(), "kl",
             eval::bootstrap_mean(prompt_means(ratios, per_prompt), context.rng("bootstrap").child("kl")));

  if (stage.diversity) {
    add_diversity("policy", after, context);
    add_diversity("reference", before, context);
  }
  if (stage.revisions > 0)
    add_revisions(stage, policy, reference, after, before, judged_after, *judge, context);

  auto& report = context.report();
  report.heading("Policy against reference");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, metric] : context.summary().json().at("metrics").items()) {
    if (name.ends_with("per_second")) continue;  // a report is a function of the recipe alone
    rows.push_back(row(name, metric));
  }
  report.table({"measure", "value", "95 % from", "to"}, rows);
  std::vector<Sample> samples;
  for (size_t i = 0; i < after.prompts.size() && static_cast<int64_t>(samples.size()) < stage.samples; ++i) {
    const auto first = i * static_cast<size_t>(per_prompt);
    const auto note = [&](const std::vector<double>& judge_scores, const std::vector<double>& rewards) {
      auto text = fmt::format("judge {:.2f}", judge_scores[first]);
      return rewards.empty() ? text : text + fmt::format(", reward {:.2f}", rewards[first]);
    };
    samples.push_back({shown_prompt(after.prompts[i]), before.completions[i][0].text,
                       note(judged_before, rewarded_before), after.completions[i][0].text,
                       note(judged_after, rewarded_after)});
  }
  if (!samples.empty()) {
    report.heading("Answers before and after");
    report.samples(samples);
  }
}

}  // namespace plaudit
