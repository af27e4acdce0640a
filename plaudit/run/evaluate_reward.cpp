#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/eval/best_of_n.h"
#include "plaudit/eval/policy_answers.h"
#include "plaudit/eval/preference_metrics.h"
#include "plaudit/run/evaluate.h"
#include "plaudit/run/records_artefact.h"

namespace plaudit {
namespace {

PreferencePairs pairs_of(const EvaluateStage& stage, RunContext& context) {
  if (stage.data.empty()) return context.get<PreferencePairs>("heldout_pairs");
  const auto read = read_preference_pairs(stage.data);
  for (const auto& [reason, count] : read.report.counts) context.summary().rejected(reason, count);
  return read.records;
}

// Scores of the better and of the worse answer of each pair.
struct PairScores {
  std::vector<double> better, worse;
};

PairScores score_pairs(const RewardModel& model, const PreferencePairs& pairs, RunContext& context) {
  std::vector<Answer> answers;
  for (const auto& pair : pairs) {
    if (pair.label == 0.5) continue;
    const bool turned = pair.label < 0.5;
    answers.push_back({pair.prompt, turned ? pair.rejected : pair.chosen});
    answers.push_back({pair.prompt, turned ? pair.chosen : pair.rejected});
  }
  const auto scores = model.score(answers, 4096, context.progress_of("answers scored"));
  PairScores out;
  int64_t failed = 0;
  for (size_t i = 0; i < scores.size(); i += 2) {
    if (!scores[i].error.empty() || !scores[i + 1].error.empty()) {
      ++failed;
      continue;
    }
    out.better.push_back(scores[i].score);
    out.worse.push_back(scores[i + 1].score);
  }
  if (failed > 0) context.summary().rejected("pairs that cannot be scored", failed);
  if (out.better.empty()) fail(ErrorKind::empty, "evaluate", "there is no pair to score");
  return out;
}

std::vector<double> values_of(const at::Tensor& tensor) {
  const auto flat = tensor.to(at::kCPU, at::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

}  // namespace

void evaluate_reward_accuracy(const EvaluateStage& stage, RunContext& context) {
  const auto& model = *context.get<RecipeRewardModel>("reward_model").model;
  const auto scores = score_pairs(model, pairs_of(stage, context), context);
  std::vector<double> right;
  for (size_t i = 0; i < scores.better.size(); ++i)
    right.push_back(scores.better[i] > scores.worse[i]    ? 1.0
                    : scores.better[i] == scores.worse[i] ? 0.5
                                                          : 0.0);
  auto& summary = context.summary();
  add_metric(summary, "reward/accuracy", eval::bootstrap_mean(right, context.rng("bootstrap")));
  // Probabilities are those of raw rewards: the scale of the scores is for reading.
  const auto scale = model.std();
  const auto calibration = preference_calibration(at::tensor(scores.better, at::kDouble) * scale,
                                                  at::tensor(scores.worse, at::kDouble) * scale, stage.bins);
  summary.metric("reward/ece", calibration.ece.item<double>());
  summary.metric("reward/nll", calibration.nll.item<double>());

  auto& report = context.report();
  report.heading("Reward model on held-out pairs");
  const auto confidence = values_of(calibration.bin_confidence),
             accuracy = values_of(calibration.bin_accuracy), count = values_of(calibration.bin_count);
  Series line{.name = "reward model", .x = {}, .y = {}};
  for (size_t i = 0; i < count.size(); ++i) {
    if (count[i] == 0) continue;
    line.x.push_back(confidence[i]);
    line.y.push_back(accuracy[i]);
  }
  report.paragraph(fmt::format("{} pairs, {:.1f} % ranked right, expected calibration error {:.3f}.",
                               right.size(),
                               100 * summary.json()["metrics"]["reward/accuracy"]["value"].get<double>(),
                               calibration.ece.item<double>()));
  report.line_plot({.title = "Calibration", .x = "how sure it is", .y = "how often it is right"},
                   {line, {.name = "as sure as right", .x = {0.5, 1}, .y = {0.5, 1}}});
}

void evaluate_best_of_n(const EvaluateStage& stage, RunContext& context) {
  const auto& policy = context.get<Policy>("policy");
  const auto reference = reference_of(policy, context);
  const bool of_policy = stage.model == "policy";
  auto sampling = stage.sampling;
  sampling.per_prompt = *std::max_element(stage.n.begin(), stage.n.end());
  RewardModelJudge proxy(context.get<RecipeRewardModel>("reward_model").model);
  const auto judge = make_judge(stage.judge, context);
  const auto records = load_judged_prompts(stage.prompts, {judge.get()}, stage.max_unjudged, context);
  auto answers =
      answer_prompts({of_policy ? policy.model : reference.model, of_policy || reference.use_adapter},
                     prompts_of(records), sampling, context.rng("answers"), context.progress_of("answers"));
  for (const auto& record : records) answers.extra.push_back(record.extra);
  const auto scores = judge_together({&proxy, judge.get()}, {&answers}, stage.max_unjudged, context);
  const auto shape = {static_cast<int64_t>(answers.prompts.size()), sampling.per_prompt};
  const auto rewards = at::tensor(scores[0], at::kDouble).view(shape);
  const auto golds = at::tensor(scores[1], at::kDouble).view(shape);

  std::vector<std::vector<double>> reward_at(stage.n.size()), gold_at(stage.n.size());
  std::vector<double> kl;
  for (int64_t prompt = 0; prompt < rewards.size(0); ++prompt) {
    const auto curve = eval::best_of_n_curve(rewards[prompt], golds[prompt], stage.n);
    const auto proxy_values = values_of(curve.proxy), gold_values = values_of(curve.gold);
    kl = values_of(curve.kl);
    for (size_t i = 0; i < stage.n.size(); ++i) {
      reward_at[i].push_back(proxy_values[i]);
      gold_at[i].push_back(gold_values[i]);
    }
  }
  Series reward_line{.name = "reward model", .x = {}, .y = {}}, gold_line{.name = "judge", .x = {}, .y = {}};
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < stage.n.size(); ++i) {
    const auto rng = context.rng("bootstrap").child(stage.n[i]);
    const auto reward = eval::bootstrap_mean(reward_at[i], rng), gold = eval::bootstrap_mean(gold_at[i], rng);
    add_metric(context.summary(), fmt::format("best_of_n/reward@{}", stage.n[i]), reward);
    add_metric(context.summary(), fmt::format("best_of_n/judge@{}", stage.n[i]), gold);
    for (auto [line, interval] : {std::pair{&reward_line, &reward}, {&gold_line, &gold}}) {
      line->x.push_back(static_cast<double>(stage.n[i]));
      line->y.push_back(interval->value);
      line->low.push_back(interval->low);
      line->high.push_back(interval->high);
    }
    rows.push_back({std::to_string(stage.n[i]), fmt::format("{:.3f}", kl[i]),
                    fmt::format("{:.3f}", reward.value), fmt::format("{:.3f}", gold.value)});
  }
  auto& report = context.report();
  report.heading("Best of n by the reward model");
  report.line_plot({.title = "What choosing harder is worth",
                    .x = "answers to choose from",
                    .y = "mean score",
                    .log_x = true},
                   {gold_line, reward_line});
  report.table({"n", "KL, nats", "reward model", "judge"}, rows);
}

}  // namespace plaudit
