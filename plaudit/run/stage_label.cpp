// label: a judge scores the sampled answers, and pairs are made of the scores.
#include "plaudit/data/selection.h"
#include "plaudit/feedback/pair_labels.h"
#include "plaudit/run/answers.h"
#include "plaudit/run/option_use.h"
#include "plaudit/run/records_artefact.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

struct LabelStage {
  JudgeChoice judge = {};
  PairLabelOptions pairs = {};
  double holdout = 0;
  bool lists = false;
  double replay = 0, replay_decay = 0.5;
};

template <>
void describe(OptionTable<LabelStage>& t) {
  t.include(&LabelStage::judge);
  t.include(&LabelStage::pairs);
  t.field("holdout", &LabelStage::holdout, "share of the pairs that is kept for evaluation as heldout_pairs",
          from_to_below(0, 1));
  t.field("lists", &LabelStage::lists, "also writes all answers with their scores, as `ranked`");
  t.field("replay", &LabelStage::replay,
          "in a repeat: share of the pairs of the round before that is trained on again, drawn at random",
          between(0, 1));
  t.field("replay_decay", &LabelStage::replay_decay,
          "what the share is multiplied by for each round further back", between(0, 1));
}

namespace {

Names label_reads(const LabelStage& options) {
  auto names = judge_reads(options.judge);
  names.push_back("answers");
  if (options.replay > 0) names.push_back("earlier_pairs?");
  return names;
}

Names label_writes(const LabelStage& options) {
  Names names = {"pairs"};
  if (options.holdout > 0) names.push_back("heldout_pairs");
  if (options.lists) names.push_back("ranked");
  if (options.replay > 0) names.push_back("earlier_pairs");
  return names;
}

void check_label(const LabelStage& options) {
  check_judge(options.judge);
  if (options.lists && options.holdout > 0)
    fail(ErrorKind::value, "lists", "would show the answers that holdout keeps away");
  if (options.replay == 0 && options.replay_decay != LabelStage{}.replay_decay)
    fail(ErrorKind::value, "replay_decay", "is not used without replay");
  if (options.pairs.pairs == "margin") return;
  const auto refuse = [&](const std::string& key) {
    fail(ErrorKind::value, key, "is not used by pairs " + options.pairs.pairs + ", only by margin");
  };
  if (options.pairs.max_repetition) refuse("max_repetition");
  for (const auto& key : keys_of<MarginPairOptions>()) {
    const Json set = option_table<MarginPairOptions>().write(options.pairs.margin);
    if (set.at(key) != option_table<MarginPairOptions>().write({}).at(key)) refuse(key);
  }
}

// Earlier pairs by their round, oldest first.
std::vector<PreferencePairs> by_round(const PreferencePairs& earlier) {
  std::map<int64_t, PreferencePairs> rounds;
  for (const auto& pair : earlier) rounds[pair.extra.at("round").get<int64_t>()].push_back(pair);
  std::vector<PreferencePairs> out;
  for (auto& [round, pairs] : rounds) out.push_back(std::move(pairs));
  return out;
}

// Adds pairs of earlier rounds to the new ones, which are kept for later rounds.
PreferencePairs with_replay(PreferencePairs fresh, const LabelStage& options, RunContext& context) {
  PreferencePairs earlier, out;
  if (context.has("earlier_pairs")) earlier = context.get<PreferencePairs>("earlier_pairs");
  const auto rounds = by_round(earlier);
  std::vector<int64_t> sizes;
  for (const auto& pairs : rounds) sizes.push_back(static_cast<int64_t>(pairs.size()));
  const auto counts =
      sizes.empty() ? std::vector<int64_t>() : history_mix(sizes, options.replay, options.replay_decay);
  for (size_t i = 0; i < rounds.size(); ++i) {
    auto draws = context.rng("replay").child(static_cast<int64_t>(i));
    const auto order = draws.permutation(sizes[i]);
    for (int64_t k = 0; k < counts[i]; ++k)
      out.push_back(rounds[i][static_cast<size_t>(order[static_cast<size_t>(k)])]);
  }
  context.summary().metric("label/replayed", static_cast<double>(out.size()));
  for (auto& pair : fresh) {
    pair.extra["round"] = context.round();
    earlier.push_back(pair);
    out.push_back(std::move(pair));
  }
  context.put<PreferencePairs>("earlier_pairs", std::move(earlier));
  return out;
}

void report_labels(const PairLabelReport& report, const std::vector<JudgedAnswers>& lists,
                   RunContext& context) {
  double sum = 0;
  std::map<std::string, int64_t> errors;
  for (const auto& list : lists)
    for (const auto& judgement : list.judgements) {
      if (judgement.error.empty())
        sum += judgement.score;
      else
        ++errors[judgement.error];
    }
  auto& summary = context.summary();
  summary.metric("label/pairs", static_cast<double>(report.pairs));
  if (report.answers > report.failed)
    summary.metric("label/mean_score", sum / static_cast<double>(report.answers - report.failed));
  if (report.flipped > 0) summary.metric("label/flipped", static_cast<double>(report.flipped));
  const std::pair<const char*, int64_t> left_out[] = {{"empty answers", report.empty},
                                                      {"repeated answers", report.repeated},
                                                      {"prompts with fewer than two answers", report.skipped},
                                                      {"pairs with equal scores", report.ties},
                                                      {"prompts without a clear pair", report.unclear}};
  if (report.repetitive > 0) summary.metric("label/repetitive", static_cast<double>(report.repetitive));
  for (const auto& [what, count] : left_out)
    if (count > 0) summary.rejected(what, count);
  for (const auto& [error, count] : errors) summary.rejected("answers not judged: " + error, count);
  if (report.answers > 0 && report.failed == report.answers)
    fail(ErrorKind::empty, "label", "the judge could judge no answer: " + errors.begin()->first);
}

void run_label(const LabelStage& options, RunContext& context) {
  const auto judge = make_judge(options.judge, context);
  auto lists = to_judge(context.get<SampledAnswers>("answers"));
  judge_answers(*judge, lists);
  auto labelled = label_pairs(lists, options.pairs, context.rng("noise"));
  report_labels(labelled.report, lists, context);
  if (labelled.pairs.empty())
    fail(ErrorKind::empty, "label",
         options.pairs.pairs == "margin"
             ? "no pair has the margin: lower min_positive, margin_teacher or margin_student"
             : "no two answers to a prompt differ in score: sample more answers per prompt, or use another "
               "judge");
  auto [kept, held] = hold_out(std::move(labelled.pairs), options.holdout, context.rng("holdout"));
  if (options.replay > 0) kept = with_replay(std::move(kept), options, context);
  context.put<PreferencePairs>("pairs", std::move(kept));
  if (options.lists) context.put<RankedLists>("ranked", std::move(labelled.lists));
  if (options.holdout > 0) context.put<PreferencePairs>("heldout_pairs", std::move(held));
}

PLAUDIT_STAGE(label, LabelStage,
              {
                  .doc = "A judge scores the answers; pairs are made of the scores.",
                  .reads = label_reads,
                  .writes = label_writes,
                  .rounds_for = [](const LabelStage& o) { return o.replay > 0 ? "replay" : ""; },
                  .check = check_label,
                  .run = run_label,
              });

}  // namespace
}  // namespace plaudit
