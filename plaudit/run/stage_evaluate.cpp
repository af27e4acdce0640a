// evaluate: how good the policy or the reward model is, with intervals.
#include "plaudit/run/evaluate.h"

#include "plaudit/run/option_use.h"

namespace plaudit {

template <>
void describe(OptionTable<SteerOptions>& t) {
  t.field("beta", &SteerOptions::beta,
          "how hard, in units of one standard deviation of the reward; one number per objective");
  t.field("candidates", &SteerOptions::candidates, "tokens that are valued at each step: the likeliest",
          at_least(1));
}

template <>
void describe(OptionTable<EvaluateStage>& t) {
  t.field(
      "suite", &EvaluateStage::suite,
      "win-rate (policy against reference), reward-accuracy (reward model on pairs), best-of-n (what the "
      "reward model's choice among n answers is worth to the judge), likelihood (of held-out pairs, and how "
      "the implicit reward orders them), directions (what a direction in the prompt does to "
      "two objectives)",
      one_of({"win-rate", "reward-accuracy", "best-of-n", "likelihood", "directions"}));
  t.include(&EvaluateStage::prompts);
  t.include(&EvaluateStage::judge);
  t.field("max_unjudged", &EvaluateStage::max_unjudged,
          "share of the prompts that cannot be judged, above which the stage is refused: by their records "
          "before any work",
          between(0, 1));
  t.include(&EvaluateStage::sampling);
  t.field("samples", &EvaluateStage::samples, "win-rate: how many answers the report shows", at_least(0));
  t.field("data", &EvaluateStage::data,
          "reward-accuracy, likelihood: file of pairs; empty: the held-out pairs of an earlier stage");
  t.field("bins", &EvaluateStage::bins, "reward-accuracy: bins of confidence", at_least(1));
  t.field("n", &EvaluateStage::n, "best-of-n: numbers of answers to choose from", at_least(1));
  t.field("model", &EvaluateStage::model, "best-of-n: whose answers", one_of({"reference", "policy"}));
  t.field("revisions", &EvaluateStage::revisions, "win-rate: how often both models revise their answers",
          at_least(0));
  t.field("revise", &EvaluateStage::revise,
          "win-rate: what asks for a revision; empty: that of objective srpo");
  t.field("diversity", &EvaluateStage::diversity, "win-rate: self-BLEU and distinct bigrams of the answers");
  t.field("steer", &EvaluateStage::steer,
          "win-rate: steer the policy by the value model while it decodes: {beta: [5], candidates: 15}");
  t.field("angles", &EvaluateStage::angles,
          "directions: in degrees over the two objectives, those that were not trained on, too");
  t.field("objectives", &EvaluateStage::objectives,
          "directions: the two judges, each as in a score stage: {judge: length, words: 0, as: brief, scale: "
          "0.05}");
  t.field("value_folder", &EvaluateStage::value_folder,
          "with steer: folder of a value model; empty: the recipe's, trained by objective value");
}

namespace {

Names evaluate_reads(const EvaluateStage& stage) {
  if (stage.suite == "reward-accuracy")
    return stage.data.empty() ? Names{"reward_model", "heldout_pairs"} : Names{"reward_model"};
  if (stage.suite == "likelihood")
    return stage.data.empty() ? Names{"policy", "heldout_pairs"} : Names{"policy"};
  Names names = {"policy"};
  if (stage.steer && stage.value_folder.empty()) names.push_back("value_model");
  if (stage.suite == "best-of-n") names.push_back("reward_model");
  if (stage.suite == "directions")
    for (const auto& objective : stage.objectives)
      for (const auto& name : judge_reads(objective.judge)) names.push_back(name);
  if (stage.suite == "win-rate")
    names.push_back(stage.judge.judge == "reward-model" ? "reward_model" : "reward_model?");
  return names;
}

std::vector<JudgeChoice> judges_of(const EvaluateStage& stage) {
  if (stage.suite != "directions") return {stage.judge};
  std::vector<JudgeChoice> out;
  for (const auto& objective : stage.objectives) out.push_back(objective.judge);
  return out;
}

void check_evaluate(const EvaluateStage& stage) {
  const auto method = "suite " + stage.suite;
  if (stage.suite == "reward-accuracy" || stage.suite == "likelihood") {
    refuse_unused(stage, method,
                  stage.suite == "likelihood" ? Names{"suite", "data"} : Names{"suite", "data", "bins"});
    if (!stage.data.empty()) check_file("data", stage.data);
    return;
  }
  const auto answers = joined({{"suite", "max_unjudged"},
                               keys_of<PromptChoice>(),
                               keys_of<JudgeChoice>(),
                               keys_of<SamplingOptions>()});
  check_prompts(stage.prompts);
  if (stage.suite == "directions") {
    refuse_unused(stage, method,
                  joined({{"suite", "angles", "objectives", "max_unjudged"},
                          keys_of<PromptChoice>(),
                          keys_of<SamplingOptions>()}));
    if (stage.objectives.size() != 2)
      fail(ErrorKind::value, "objectives", "must be two, got " + std::to_string(stage.objectives.size()));
    for (const auto& objective : stage.objectives) check_judge(objective.judge);
    if (stage.angles.empty()) fail(ErrorKind::empty, "angles", "must list directions in degrees");
    check_judged_prompts(stage.prompts, judges_of(stage), stage.max_unjudged);
    return;
  }
  check_judge(stage.judge);
  if (stage.suite == "win-rate") {
    refuse_unused(
        stage, method,
        joined({answers, {"samples", "revisions", "revise", "diversity", "steer", "value_folder"}}));
    if (stage.revisions > 0 && stage.sampling.per_prompt != 1)
      fail(ErrorKind::value, "revisions", "needs per_prompt 1: one answer is revised");
    if (stage.revisions == 0 && !stage.revise.empty())
      fail(ErrorKind::value, "revise", "is not used without revisions");
    if (stage.steer && stage.sampling.temperature != 1)
      fail(ErrorKind::value, "temperature",
           "must be 1 with steer: the distance to the reference is that of the steered law itself");
    if (!stage.steer && !stage.value_folder.empty())
      fail(ErrorKind::value, "value_folder", "needs steer: how hard to steer");
    if (stage.steer && stage.revisions > 0) fail(ErrorKind::value, "revisions", "cannot be had with steer");
    check_judged_prompts(stage.prompts, judges_of(stage), stage.max_unjudged);
    return;
  }
  refuse_unused(stage, method, joined({answers, {"n", "model"}}));
  if (stage.n.empty()) fail(ErrorKind::empty, "n", "must list the numbers of answers, e.g. [1, 2, 4, 8]");
  if (stage.judge.judge == "reward-model")
    fail(ErrorKind::value, "judge", "must be another than the reward model, whose choice is judged");
  if (stage.sampling.per_prompt != 1)
    fail(ErrorKind::value, "per_prompt", "is the largest n in suite best-of-n; leave it out");
  check_judged_prompts(stage.prompts, judges_of(stage), stage.max_unjudged);
}

void run_evaluate(const EvaluateStage& stage, RunContext& context) {
  if (stage.suite == "win-rate") evaluate_win_rate(stage, context);
  if (stage.suite == "reward-accuracy") evaluate_reward_accuracy(stage, context);
  if (stage.suite == "directions") evaluate_directions(stage, context);
  if (stage.suite == "best-of-n") evaluate_best_of_n(stage, context);
  if (stage.suite == "likelihood") evaluate_likelihood(stage, context);
}

PLAUDIT_STAGE(evaluate, EvaluateStage,
              {
                  .doc = "Measures policy or reward model, with 95 % bootstrap intervals.",
                  .reads = evaluate_reads,
                  .check = check_evaluate,
                  .run = run_evaluate,
              });

}  // namespace
}  // namespace plaudit
