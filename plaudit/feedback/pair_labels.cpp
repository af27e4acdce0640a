#include "plaudit/feedback/pair_labels.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "plaudit/core/checks.h"
#include "plaudit/data/pairs.h"
#include "plaudit/data/text.h"
#include "plaudit/data/text_rules.h"

namespace plaudit {
namespace {

void check_list(const Check& check, const JudgedAnswers& list, size_t index) {
  const auto where = fmt::format("lists[{}]", index);
  if (list.judgements.size() != list.completions.size())
    check.refuse(
        ErrorKind::shape, where,
        fmt::format("has {} judgements for {} completions", list.judgements.size(), list.completions.size()));
  if (!list.writers.empty() && list.writers.size() != list.completions.size())
    check.refuse(
        ErrorKind::shape, where,
        fmt::format("has {} writers for {} completions", list.writers.size(), list.completions.size()));
  for (const auto& judgement : list.judgements) {
    if (judgement.error.empty() && !std::isfinite(judgement.score))
      check.refuse(ErrorKind::nan, where, fmt::format("has a score of {}", judgement.score));
  }
}

std::vector<std::string> label_modes() {
  auto modes = pair_modes();
  modes.push_back("margin");
  return modes;
}

struct Comparable {
  RankedList list;
  std::vector<std::string> writers;  // empty: not known
};

// The answers that can be compared.
Comparable comparable(const JudgedAnswers& list, PairLabelReport& report) {
  Comparable out{{list.prompt, {}, {}, list.extra}, {}};
  auto& kept = out.list;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < list.completions.size(); ++i) {
    ++report.answers;
    const auto text = strip(list.completions[i]);
    if (!list.judgements[i].error.empty()) {
      ++report.failed;
    } else if (text.empty()) {
      ++report.empty;
    } else if (!seen.insert(text).second) {
      ++report.repeated;
    } else {
      kept.completions.push_back(list.completions[i]);
      kept.scores.push_back(list.judgements[i].score);
      if (!list.writers.empty()) out.writers.push_back(list.writers[i]);
    }
  }
  return out;
}

// How often each answer beats the others, ties half (preference.win_rate_rewards of one judgement per pair).
std::vector<double> win_rates(const std::vector<double>& scores) {
  std::vector<double> rates;
  for (const double score : scores) {
    double wins = -0.5;  // against itself
    for (const double other : scores) wins += score > other ? 1 : score == other ? 0.5 : 0;
    rates.push_back(wins / static_cast<double>(scores.size() - 1));
  }
  return rates;
}

// The scores with which an answer that repeats itself loses: those of texts whose share of repeated sequences
// of four words is above `most` are put below every margin, so that no such answer is a positive and every
// positive beats it. Rosset et al., 2024, arXiv 2404.03715. `repetitive` is raised by their number.
std::vector<double> repetitive_loses(const RankedList& list, const MarginPairOptions& margin, double most,
                                     int64_t& repetitive) {
  auto scores = list.scores;
  if (scores.empty()) return scores;
  const auto lead = std::max({margin.margin_teacher, margin.margin_student, 0.0});
  const double last =
      std::min(margin.min_positive, *std::min_element(scores.begin(), scores.end())) - lead - 1;
  const auto distinct = repetition_penalty(list.completions, 4);
  for (size_t i = 0; i < scores.size(); ++i) {
    if (1 - distinct[static_cast<int64_t>(i)].item<double>() <= most) continue;
    scores[i] = last;
    ++repetitive;
  }
  return scores;
}

PairChoice margin_choice(const Comparable& list, const std::vector<double>& scores,
                         const MarginPairOptions& options) {
  std::vector<int64_t> teacher(list.list.scores.size(), 0);
  for (size_t i = 0; i < list.writers.size(); ++i) teacher[i] = list.writers[i] == "reference";
  PairChoice out;
  for (const auto& [better, worse] :
       margin_pairs(at::tensor(scores, at::kDouble), at::tensor(teacher, at::kLong), options))
    out.pairs.push_back({static_cast<size_t>(better), static_cast<size_t>(worse)});
  return out;
}

// The pair as labelled: turned round or not, and saying so.
PreferencePair with_noise(PreferencePair pair, bool flip) {
  if (flip) {
    std::swap(pair.chosen, pair.rejected);
    std::swap(pair.extra["chosen_score"], pair.extra["rejected_score"]);
    if (pair.extra.contains("chosen_writer"))
      std::swap(pair.extra["chosen_writer"], pair.extra["rejected_writer"]);
  }
  pair.extra["flipped"] = flip;
  return pair;
}

}  // namespace

void judge_answers(Judge& judge, std::vector<JudgedAnswers>& lists) {
  std::vector<Answer> answers;
  for (const auto& list : lists) {
    for (const auto& completion : list.completions) answers.push_back({list.prompt, completion, list.extra});
  }
  const auto judgements = judge.judge(answers);
  if (judgements.size() != answers.size())
    bug(judge.name(), fmt::format("gave {} judgements for {} answers", judgements.size(), answers.size()));
  auto next = judgements.begin();
  for (auto& list : lists) {
    const auto end = next + static_cast<std::ptrdiff_t>(list.completions.size());
    list.judgements.assign(next, end);
    next = end;
  }
}

template <>
void describe(OptionTable<PairLabelOptions>& t) {
  t.field("pairs", &PairLabelOptions::pairs,
          "which pairs of the answers to a prompt; margin: all with a clear difference",
          one_of(label_modes()));
  t.field("noise", &PairLabelOptions::noise, "probability that the label of a pair is turned round",
          from_to_below(0, 1));
  t.field("scores", &PairLabelOptions::scores,
          "judge, or win-rate: the share of the prompt's other answers that the judge puts below it",
          one_of({"judge", "win-rate"}));
  t.include(&PairLabelOptions::margin);
  t.field("max_repetition", &PairLabelOptions::max_repetition,
          "pairs margin: an answer with a larger share of repeated four-word sequences loses against every "
          "better one, whatever it scores; absent: not looked at",
          between(0, 1));
  t.field(
      "soft_labels", &PairLabelOptions::soft_labels,
      "0: the better answer is better for certain; else with probability sigma(this times the difference of "
      "scores)",
      at_least(0));
}

template <>
void describe(OptionTable<MarginPairOptions>& t) {
  t.field("min_positive", &MarginPairOptions::min_positive, "pairs margin: least score of the better answer");
  t.field("margin_teacher", &MarginPairOptions::margin_teacher,
          "pairs margin: least difference where the reference wrote the better answer");
  t.field("margin_student", &MarginPairOptions::margin_student,
          "pairs margin: least difference where the policy wrote the better answer");
  t.field("teacher_positive_only", &MarginPairOptions::teacher_positive_only,
          "pairs margin: only answers of the reference above those of the policy");
}

Json json_of(const PairLabelReport& r) {
  return {{"prompts", r.prompts}, {"answers", r.answers},      {"failed", r.failed},
          {"empty", r.empty},     {"repeated", r.repeated},    {"skipped", r.skipped},
          {"ties", r.ties},       {"pairs", r.pairs},          {"flipped", r.flipped},
          {"unclear", r.unclear}, {"repetitive", r.repetitive}};
}

LabelledPairs label_pairs(const std::vector<JudgedAnswers>& lists, const PairLabelOptions& options,
                          const Rng& rng) {
  const Check check("label_pairs");
  if (lists.empty())
    check.refuse(ErrorKind::empty, "lists", "is empty, expected answers to at least one prompt");
  check.choice("pairs", options.pairs, label_modes());
  check.choice("scores", options.scores, {"judge", "win-rate"});
  check.that(options.soft_labels >= 0, "soft_labels", ">= 0", options.soft_labels);
  if (options.max_repetition)
    check.that(*options.max_repetition >= 0 && *options.max_repetition <= 1, "max_repetition", "in [0, 1]",
               *options.max_repetition);
  check.that(options.noise >= 0 && options.noise < 1, "noise", "in [0, 1)", options.noise);

  LabelledPairs out;
  auto& report = out.report;
  for (size_t i = 0; i < lists.size(); ++i) {
    check_list(check, lists[i], i);
    ++report.prompts;
    auto answers = comparable(lists[i], report);
    auto& list = answers.list;
    if (list.completions.size() < 2) {
      ++report.skipped;
      continue;
    }
    if (options.scores == "win-rate") list.scores = win_rates(list.scores);
    const bool by_margin = options.pairs == "margin";
    auto scores = list.scores;
    if (by_margin && options.max_repetition)
      scores = repetitive_loses(list, options.margin, *options.max_repetition, report.repetitive);
    const auto choice =
        by_margin ? margin_choice(answers, scores, options.margin) : choose_pairs(scores, options.pairs);
    report.ties += choice.ties;
    report.unclear += by_margin && choice.pairs.empty();
    Rng draws = rng.child(static_cast<int64_t>(i));
    for (const auto indices : choice.pairs) {
      auto pair = make_pair_of(list, indices);
      if (!answers.writers.empty()) {
        pair.extra["chosen_writer"] = answers.writers[indices.better];
        pair.extra["rejected_writer"] = answers.writers[indices.worse];
      }
      if (options.soft_labels > 0)
        pair.label =
            1 /
            (1 + std::exp(-options.soft_labels * (list.scores[indices.better] - list.scores[indices.worse])));
      if (options.noise > 0) {
        const bool flip = draws.uniform() < options.noise;
        report.flipped += flip ? 1 : 0;
        pair = with_noise(std::move(pair), flip);
      }
      out.pairs.push_back(std::move(pair));
    }
    out.lists.push_back(std::move(list));
  }
  report.pairs = static_cast<int64_t>(out.pairs.size());
  return out;
}

}  // namespace plaudit
