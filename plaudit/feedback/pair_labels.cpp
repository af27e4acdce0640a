#include "plaudit/feedback/pair_labels.h"

#include <cmath>
#include <set>

#include "plaudit/core/checks.h"
#include "plaudit/data/pairs.h"
#include "plaudit/data/text.h"

namespace plaudit {
namespace {

void check_list(const Check& check, const JudgedAnswers& list, size_t index) {
  const auto where = fmt::format("lists[{}]", index);
  if (list.judgements.size() != list.completions.size())
    check.refuse(
        ErrorKind::shape, where,
        fmt::format("has {} judgements for {} completions", list.judgements.size(), list.completions.size()));
  for (const auto& judgement : list.judgements) {
    if (judgement.error.empty() && !std::isfinite(judgement.score))
      check.refuse(ErrorKind::nan, where, fmt::format("has a score of {}", judgement.score));
  }
}

// The answers that can be compared.
RankedList comparable(const JudgedAnswers& list, PairLabelReport& report) {
  RankedList kept{list.prompt, {}, {}, list.extra};
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
    }
  }
  return kept;
}

// The pair as labelled: turned round or not, and saying so.
PreferencePair with_noise(PreferencePair pair, bool flip) {
  if (flip) {
    std::swap(pair.chosen, pair.rejected);
    std::swap(pair.extra["chosen_score"], pair.extra["rejected_score"]);
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
  t.field("pairs", &PairLabelOptions::pairs, "which pairs of the answers to a prompt", one_of(pair_modes()));
  t.field("noise", &PairLabelOptions::noise, "probability that the label of a pair is turned round",
          from_to_below(0, 1));
}

Json json_of(const PairLabelReport& r) {
  return {{"prompts", r.prompts}, {"answers", r.answers},   {"failed", r.failed},
          {"empty", r.empty},     {"repeated", r.repeated}, {"skipped", r.skipped},
          {"ties", r.ties},       {"pairs", r.pairs},       {"flipped", r.flipped}};
}

LabelledPairs label_pairs(const std::vector<JudgedAnswers>& lists, const PairLabelOptions& options,
                          const Rng& rng) {
  const Check check("label_pairs");
  if (lists.empty())
    check.refuse(ErrorKind::empty, "lists", "is empty, expected answers to at least one prompt");
  check.choice("pairs", options.pairs, pair_modes());
  check.that(options.noise >= 0 && options.noise < 1, "noise", "in [0, 1)", options.noise);

  LabelledPairs out;
  auto& report = out.report;
  for (size_t i = 0; i < lists.size(); ++i) {
    check_list(check, lists[i], i);
    ++report.prompts;
    const auto list = comparable(lists[i], report);
    if (list.completions.size() < 2) {
      ++report.skipped;
      continue;
    }
    const auto choice = choose_pairs(list.scores, options.pairs);
    report.ties += choice.ties;
    Rng draws = rng.child(static_cast<int64_t>(i));
    for (const auto indices : choice.pairs) {
      auto pair = make_pair_of(list, indices);
      if (options.noise > 0) {
        const bool flip = draws.uniform() < options.noise;
        report.flipped += flip ? 1 : 0;
        pair = with_noise(std::move(pair), flip);
      }
      out.pairs.push_back(std::move(pair));
    }
  }
  report.pairs = static_cast<int64_t>(out.pairs.size());
  return out;
}

}  // namespace plaudit
