// evaluate: how good the policy or the reward model is, with intervals.
#include "plaudit/run/evaluate.h"

#include "plaudit/run/option_use.h"

namespace plaudit {

template <>
void describe(OptionTable<EvaluateStage>& t) {
  t.field("suite", &EvaluateStage::suite,
          "win-rate (policy against reference), reward-accuracy (reward model on pairs), best-of-n (what the "
          "reward model's choice among n answers is worth to the judge), likelihood (of held-out answers)",
          one_of({"win-rate", "reward-accuracy", "best-of-n", "likelihood"}));
  t.include(&EvaluateStage::prompts);
  t.include(&EvaluateStage::judge);
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
}

namespace {

Names evaluate_reads(const EvaluateStage& stage) {
  if (stage.suite == "reward-accuracy")
    return stage.data.empty() ? Names{"reward_model", "heldout_pairs"} : Names{"reward_model"};
  if (stage.suite == "likelihood")
    return stage.data.empty() ? Names{"policy", "heldout_pairs"} : Names{"policy"};
  Names names = {"policy"};
  if (stage.suite == "best-of-n") names.push_back("reward_model");
  if (stage.suite == "win-rate")
    names.push_back(stage.judge.judge == "reward-model" ? "reward_model" : "reward_model?");
  return names;
}

void check_evaluate(const EvaluateStage& stage) {
  const auto method = "suite " + stage.suite;
  if (stage.suite == "reward-accuracy" || stage.suite == "likelihood") {
    refuse_unused(stage, method,
                  stage.suite == "likelihood" ? Names{"suite", "data"} : Names{"suite", "data", "bins"});
    if (!stage.data.empty()) check_file("data", stage.data);
    return;
  }
  const auto answers =
      joined({{"suite"}, keys_of<PromptChoice>(), keys_of<JudgeChoice>(), keys_of<SamplingOptions>()});
  check_prompts(stage.prompts);
  check_judge(stage.judge);
  if (stage.suite == "win-rate") {
    refuse_unused(stage, method, joined({answers, {"samples", "revisions", "revise", "diversity"}}));
    if (stage.revisions > 0 && stage.sampling.per_prompt != 1)
      fail(ErrorKind::value, "revisions", "needs per_prompt 1: one answer is revised");
    if (stage.revisions == 0 && !stage.revise.empty())
      fail(ErrorKind::value, "revise", "is not used without revisions");
    return;
  }
  refuse_unused(stage, method, joined({answers, {"n", "model"}}));
  if (stage.n.empty()) fail(ErrorKind::empty, "n", "must list the numbers of answers, e.g. [1, 2, 4, 8]");
  if (stage.judge.judge == "reward-model")
    fail(ErrorKind::value, "judge", "must be another than the reward model, whose choice is judged");
  if (stage.sampling.per_prompt != 1)
    fail(ErrorKind::value, "per_prompt", "is the largest n in suite best-of-n; leave it out");
}

void run_evaluate(const EvaluateStage& stage, RunContext& context) {
  if (stage.suite == "win-rate") evaluate_win_rate(stage, context);
  if (stage.suite == "reward-accuracy") evaluate_reward_accuracy(stage, context);
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
