// label: a judge scores the sampled answers, and pairs are made of the scores.
#include "plaudit/feedback/pair_labels.h"
#include "plaudit/run/answers.h"
#include "plaudit/run/records_artefact.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

struct LabelStage {
  JudgeChoice judge = {};
  PairLabelOptions pairs = {};
  double holdout = 0;
};

template <>
void describe(OptionTable<LabelStage>& t) {
  t.include(&LabelStage::judge);
  t.include(&LabelStage::pairs);
  t.field("holdout", &LabelStage::holdout, "share of the pairs that is kept for evaluation as heldout_pairs",
          from_to_below(0, 1));
}

namespace {

Names label_reads(const LabelStage& options) {
  auto names = judge_reads(options.judge);
  names.push_back("answers");
  return names;
}

Names label_writes(const LabelStage& options) {
  return options.holdout > 0 ? Names{"pairs", "heldout_pairs"} : Names{"pairs"};
}

void report_labels(const PairLabelReport& report, const std::vector<JudgedAnswers>& lists,
                   RunContext& context) {
  double sum = 0;
  for (const auto& list : lists)
    for (const auto& judgement : list.judgements)
      if (judgement.error.empty()) sum += judgement.score;
  auto& summary = context.summary();
  summary.metric("label/pairs", static_cast<double>(report.pairs));
  if (report.answers > report.failed)
    summary.metric("label/mean_score", sum / static_cast<double>(report.answers - report.failed));
  if (report.flipped > 0) summary.metric("label/flipped", static_cast<double>(report.flipped));
  const std::pair<const char*, int64_t> left_out[] = {
      {"answers that the judge could not judge", report.failed},
      {"empty answers", report.empty},
      {"repeated answers", report.repeated},
      {"prompts with fewer than two answers", report.skipped},
      {"pairs with equal scores", report.ties}};
  for (const auto& [what, count] : left_out)
    if (count > 0) summary.rejected(what, count);
}

void run_label(const LabelStage& options, RunContext& context) {
  const auto judge = make_judge(options.judge, context);
  std::vector<JudgedAnswers> lists;
  for (const auto& list : context.get<SampledAnswers>("answers").lists)
    lists.push_back({list.prompt, list.completions, {}, list.extra});
  judge_answers(*judge, lists);
  auto labelled = label_pairs(lists, options.pairs, context.rng("noise"));
  report_labels(labelled.report, lists, context);
  if (labelled.pairs.empty())
    fail(ErrorKind::empty, "label",
         "no two answers to a prompt differ in score: sample more answers per prompt, or use another judge");
  auto [kept, held] = hold_out(std::move(labelled.pairs), options.holdout, context.rng("holdout"));
  context.put<PreferencePairs>("pairs", std::move(kept));
  if (options.holdout > 0) context.put<PreferencePairs>("heldout_pairs", std::move(held));
}

PLAUDIT_STAGE(label, LabelStage,
              {
                  .doc = "A judge scores the answers; pairs are made of the scores.",
                  .reads = label_reads,
                  .writes = label_writes,
                  .check = [](const LabelStage& options) { check_judge(options.judge); },
                  .run = run_label,
              });

}  // namespace
}  // namespace plaudit
