#include "plaudit/run/judged_prompts.h"

#include <fmt/format.h>

#include <map>

#include "plaudit/data/text.h"

namespace plaudit {
namespace {

constexpr size_t kListedPrompts = 20;

// Why each of some prompts cannot be judged, "" where it can.
using Reasons = std::vector<std::string>;

double share_of(size_t part, size_t all) {
  return static_cast<double>(part) / static_cast<double>(all);
}

std::vector<size_t> places(const Reasons& reasons, bool judged) {
  std::vector<size_t> out;
  for (size_t i = 0; i < reasons.size(); ++i)
    if (reasons[i].empty() == judged) out.push_back(i);
  return out;
}

// `prompt(i)` is the text of prompt i.
template <class Text>
void refuse_many(const Reasons& reasons, double max_unjudged, const Text& prompt) {
  const auto bad = places(reasons, false);
  const double share = share_of(bad.size(), reasons.size());
  if (bad.empty() || (share <= max_unjudged && bad.size() < reasons.size())) return;
  fail(ErrorKind::value, "prompts",
       fmt::format("{} of {} cannot be judged ({:.3g} %, max_unjudged allows {:.3g} %); the first, '{}': {}",
                   bad.size(), reasons.size(), 100 * share, 100 * max_unjudged,
                   excerpt(prompt(bad.front()), 80), reasons[bad.front()]));
}

// Counts and lists them. `what` is "record" or "answer", of which the reasons speak.
template <class Text>
void account(const Reasons& reasons, const std::string& what, const Text& prompt, RunContext& context) {
  const auto bad = places(reasons, false);
  if (bad.empty()) return;
  const double share = share_of(bad.size(), reasons.size());
  std::map<std::string, int64_t> counts;
  std::vector<std::vector<std::string>> rows;
  for (const auto i : bad) {
    ++counts[reasons[i]];
    if (rows.size() < kListedPrompts) rows.push_back({excerpt(prompt(i), 80), reasons[i]});
  }
  for (const auto& [reason, count] : counts)
    context.summary().rejected(fmt::format("prompts with an unjudged {}: {}", what, reason), count);
  context.summary().metric("unjudged/" + what, share);
  auto& report = context.report();
  report.heading("Prompts that cannot be judged, left out");
  report.paragraph(fmt::format(
      "{} of {} prompts ({:.3g} %), for what is wrong with their {}. All measures are of the rest.",
      bad.size(), reasons.size(), 100 * share, what));
  report.table({"prompt", "why"}, rows);
  if (bad.size() > rows.size()) report.paragraph(fmt::format("And {} more.", bad.size() - rows.size()));
}

Reasons record_reasons(const std::vector<PromptRecord>& records, const std::vector<const Judge*>& judges) {
  Reasons out;
  for (const auto& record : records) {
    out.emplace_back();
    for (const auto* judge : judges)
      if (out.back().empty()) out.back() = judge->unusable(record.extra);
  }
  return out;
}

}  // namespace

void check_judged_prompts(const PromptChoice& prompts, const std::vector<JudgeChoice>& judges,
                          double max_unjudged) {
  std::vector<PromptRecord> records;
  try {
    records = read_prompt_choice(prompts).records;
  } catch (const UserError& error) {
    throw UserError(error.kind(), "prompts: " + message_of(error));
  }
  std::vector<std::unique_ptr<Judge>> made;
  std::vector<const Judge*> known;
  for (const auto& choice : judges) {
    if (choice.judge == "reward-model") continue;  // there is none yet, and it reads no record
    made.push_back(make_judge(JudgeOptions{choice.judge, choice.lexicon, choice.words}));
    known.push_back(made.back().get());
  }
  refuse_many(record_reasons(records, known), max_unjudged,
              [&](size_t i) { return shown_prompt(records[i].prompt); });
}

std::vector<PromptRecord> load_judged_prompts(const PromptChoice& prompts,
                                              const std::vector<const Judge*>& judges, double max_unjudged,
                                              RunContext& context) {
  auto records = load_prompt_records(prompts, context);
  const auto reasons = record_reasons(records, judges);
  const auto text = [&](size_t i) { return shown_prompt(records[i].prompt); };
  refuse_many(reasons, max_unjudged, text);
  account(reasons, "record", text, context);
  std::vector<PromptRecord> out;
  for (const auto i : places(reasons, true)) out.push_back(std::move(records[i]));
  return out;
}

std::vector<std::vector<double>> judge_together(const std::vector<Judge*>& judges,
                                                const std::vector<PolicyAnswers*>& models,
                                                double max_unjudged, RunContext& context) {
  std::vector<std::vector<std::vector<double>>> scores;  // [judges * models][prompts][per prompt]
  Reasons reasons(models.front()->prompts.size());
  for (auto* judge : judges)
    for (const auto* model : models) {
      const auto judgements = judge->judge(model->flat());
      size_t next = 0;
      scores.emplace_back();
      for (size_t i = 0; i < reasons.size(); ++i) {
        scores.back().emplace_back();
        for (size_t k = 0; k < model->completions[i].size(); ++k, ++next) {
          const auto& [score, error] = judgements.at(next);
          if (reasons[i].empty() && !error.empty()) reasons[i] = judge->name() + ": " + error;
          scores.back().back().push_back(score);
        }
      }
    }
  const auto text = [&](size_t i) { return shown_prompt(models.front()->prompts[i]); };
  refuse_many(reasons, max_unjudged, text);
  account(reasons, "answer", text, context);
  const auto kept = places(reasons, true);
  if (kept.size() < reasons.size())
    for (auto* model : models) *model = model->only(kept);
  std::vector<std::vector<double>> out;
  for (const auto& table : scores) {
    out.emplace_back();
    for (const auto i : kept) out.back().insert(out.back().end(), table[i].begin(), table[i].end());
  }
  return out;
}

}  // namespace plaudit
