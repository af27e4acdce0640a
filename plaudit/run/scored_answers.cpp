#include "plaudit/run/scored_answers.h"

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/data/jsonl.h"
#include "plaudit/run/artefact.h"

namespace plaudit {

void save_scored_answers(const ScoredAnswers& scored, const std::string& folder) {
  save_answers(scored.answers, folder);
  std::vector<Json> lines = {scored.objectives};
  for (const auto& list : scored.scores) {
    Json line = Json::array();
    for (const auto& answer : list) {
      Json numbers = Json::array();
      for (const auto score : answer) numbers.push_back(std::isnan(score) ? Json(nullptr) : Json(score));
      line.push_back(std::move(numbers));
    }
    lines.push_back(std::move(line));
  }
  write_json_lines(folder + "/scores.jsonl", lines);
}

ScoredAnswers load_scored_answers(const std::string& folder) {
  ScoredAnswers out;
  out.answers = load_answers(folder);
  const auto path = folder + "/scores.jsonl";
  bool first = true;
  for_each_json_line(path, [&](const RawRecord& record) {
    try {
      if (first) {
        out.objectives = record.value.get<std::vector<std::string>>();
        first = false;
        return true;
      }
      std::vector<std::vector<double>> list;
      for (const auto& answer : record.value) {
        list.emplace_back();
        for (const auto& score : answer) list.back().push_back(score.is_null() ? NAN : score.get<double>());
      }
      out.scores.push_back(std::move(list));
    } catch (const Json::exception&) {
      fail(ErrorKind::type, fmt::format("{}:{}", path, record.line), "is not a list of scores");
    }
    return true;
  });
  if (out.scores.size() != out.answers.lists.size())
    fail(ErrorKind::shape, path, "does not hold one line per prompt of answers.jsonl");
  return out;
}

bool same_answers(const SampledAnswers& a, const SampledAnswers& b) {
  if (a.lists.size() != b.lists.size()) return false;
  for (size_t i = 0; i < a.lists.size(); ++i)
    if (!(a.lists[i].prompt == b.lists[i].prompt) || a.lists[i].completions != b.lists[i].completions)
      return false;
  return true;
}

TokenizedAnswers tokenized(const LanguageModel& model, const SampledAnswers& answers, size_t list) {
  const auto& from = answers.lists.at(list);
  TokenizedAnswers out{model.tokenizer->encode_prompt(from.prompt, model.chat_family), {}};
  if (!answers.ids.empty()) {
    out.answers = answers.ids.at(list);
    return out;
  }
  for (const auto& text : from.completions) {
    out.answers.push_back(model.tokenizer->encode(text, {.add_special = false, .parse_special = false}));
    out.answers.back().push_back(model.tokenizer->eos_id());
  }
  return out;
}

ScoredAnswers judged_alone(const ScoredAnswers& scored, int64_t& failed) {
  ScoredAnswers out;
  out.objectives = scored.objectives;
  const bool has_ids = !scored.answers.ids.empty();
  for (size_t i = 0; i < scored.scores.size(); ++i) {
    RankedList list;
    list.prompt = scored.answers.lists[i].prompt;
    list.extra = scored.answers.lists[i].extra;
    std::vector<std::vector<double>> scores;
    std::vector<std::vector<int64_t>> ids;
    for (size_t k = 0; k < scored.scores[i].size(); ++k) {
      const auto& numbers = scored.scores[i][k];
      if (std::any_of(numbers.begin(), numbers.end(), [](double x) { return !std::isfinite(x); })) {
        ++failed;
        continue;
      }
      list.completions.push_back(scored.answers.lists[i].completions[k]);
      scores.push_back(numbers);
      if (has_ids) ids.push_back(scored.answers.ids[i][k]);
    }
    if (scores.empty()) continue;
    out.answers.lists.push_back(std::move(list));
    out.scores.push_back(std::move(scores));
    if (has_ids) out.answers.ids.push_back(std::move(ids));
  }
  return out;
}

namespace {
PLAUDIT_ARTEFACT(ScoredAnswers, "scored answers", &save_scored_answers, &load_scored_answers);
}  // namespace
}  // namespace plaudit
