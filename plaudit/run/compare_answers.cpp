// Rewards compared on answers to prompts: scores of files and of reward models.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "plaudit/core/errors.h"
#include "plaudit/data/jsonl.h"
#include "plaudit/data/reader.h"
#include "plaudit/eval/answer_reward_distance.h"
#include "plaudit/reward/reward_model.h"
#include "plaudit/run/compare_rewards.h"

namespace plaudit {
namespace {

// Answers with the scores of several rewards.
struct ComparedAnswers {
  std::vector<Answer> answers;
  std::vector<int64_t> prompt;                                       // of each answer
  std::vector<std::pair<std::string, std::vector<double>>> rewards;  // by name
};

std::string name_of(const std::string& path) {
  auto name = std::filesystem::path(path);
  while (!name.has_filename()) name = name.parent_path();
  if (name.filename() == "reward_model") name = name.parent_path();
  return name.stem().string();
}

std::vector<double> scores_of(const std::vector<RankedList>& lists, const ComparedAnswers& answers,
                              const std::string& file) {
  std::vector<double> out;
  size_t at = 0;
  for (size_t l = 0; l < lists.size(); ++l) {
    if (lists[l].scores.empty()) fail(ErrorKind::value, file, fmt::format("record {} has no scores", l + 1));
    for (size_t i = 0; i < lists[l].completions.size(); ++i, ++at) {
      if (at >= answers.answers.size() || answers.prompt[at] != static_cast<int64_t>(l) ||
          answers.answers[at].text != lists[l].completions[i] ||
          !(answers.answers[at].prompt == lists[l].prompt))
        fail(ErrorKind::value, file,
             fmt::format("record {}, answer {} is not the one that the file of answers has there", l + 1,
                         i + 1));
      out.push_back(lists[l].scores[i]);
    }
  }
  if (at != answers.answers.size())
    fail(ErrorKind::shape, file,
         fmt::format("holds {} answers, the file of answers {}", at, answers.answers.size()));
  return out;
}

std::vector<RankedList> read_lists(const std::string& path, RunContext& context) {
  auto read = read_ranked_lists(path);
  for (const auto& [reason, count] : read.report.counts) context.summary().rejected(reason, count);
  return std::move(read.records);
}

// NaN where the model cannot score an answer.
std::vector<double> model_scores(const std::string& folder, const ComparedAnswers& answers,
                                 const std::string& kept, RunContext& context) {
  if (std::filesystem::exists(kept)) {
    std::vector<double> out;
    for_each_json_line(kept, [&](RawRecord record) {
      out.push_back(record.value.at("score").is_null() ? NAN : record.value.at("score").get<double>());
      return true;
    });
    if (out.size() == answers.answers.size()) return out;
  }
  const auto model = RewardModel::load(folder, at::kFloat, context.device());
  const auto judged =
      model.score(answers.answers, 4096, context.progress_of("answers scored by " + name_of(folder)));
  std::vector<double> out;
  std::vector<Json> lines;
  for (const auto& judgement : judged) {
    const bool scored = judgement.error.empty();
    out.push_back(scored ? judgement.score : NAN);
    lines.push_back({{"score", scored ? Json(judgement.score) : Json(nullptr)}});
  }
  if (!kept.empty() && context.ranks().rank() == 0) write_json_lines(kept, lines);
  return out;
}

// Drops answers that some reward could not score, and prompts that are left with fewer than two.
void keep_comparable(ComparedAnswers& a, RunContext& context) {
  std::map<int64_t, int64_t> left;
  std::vector<bool> keep(a.answers.size(), true);
  for (size_t i = 0; i < a.answers.size(); ++i) {
    for (const auto& [name, scores] : a.rewards) keep[i] = keep[i] && std::isfinite(scores[i]);
    left[a.prompt[i]] += keep[i] ? 1 : 0;
  }
  int64_t unscored = 0, alone = 0;
  ComparedAnswers out;
  for (const auto& [name, scores] : a.rewards) out.rewards.emplace_back(name, std::vector<double>());
  for (size_t i = 0; i < a.answers.size(); ++i) {
    unscored += keep[i] ? 0 : 1;
    alone += keep[i] && left[a.prompt[i]] < 2 ? 1 : 0;
    if (!keep[i] || left[a.prompt[i]] < 2) continue;
    out.answers.push_back(a.answers[i]);
    out.prompt.push_back(a.prompt[i]);
    for (size_t r = 0; r < a.rewards.size(); ++r) out.rewards[r].second.push_back(a.rewards[r].second[i]);
  }
  if (unscored > 0) context.summary().rejected("answers that cannot be scored", unscored);
  if (alone > 0) context.summary().rejected("answers without another one to the same prompt", alone);
  if (out.answers.empty()) fail(ErrorKind::empty, "answers", "there is no prompt with two scored answers");
  a = std::move(out);
}

ComparedAnswers score_answers(const RewardDistanceStage& stage, RunContext& context) {
  const auto lists = read_lists(stage.answers, context);
  ComparedAnswers out;
  bool scored = true;
  for (size_t l = 0; l < lists.size(); ++l) {
    scored = scored && !lists[l].scores.empty();
    for (const auto& text : lists[l].completions) {
      out.answers.push_back({lists[l].prompt, text});
      out.prompt.push_back(static_cast<int64_t>(l));
    }
  }
  const auto add = [&](std::string name, std::vector<double> scores) {
    const auto known = [&](const std::string& n) {
      return std::any_of(out.rewards.begin(), out.rewards.end(), [&](const auto& r) { return r.first == n; });
    };
    const auto base = name;
    for (int64_t i = 2; known(name); ++i) name = fmt::format("{}-{}", base, i);
    out.rewards.emplace_back(std::move(name), std::move(scores));
  };
  if (scored) add(name_of(stage.answers), scores_of(lists, out, stage.answers));
  for (const auto& file : stage.scores) add(name_of(file), scores_of(read_lists(file, context), out, file));
  const auto kept_at = [&](size_t i) {
    return context.run_folder().empty() ? "" : fmt::format("{}/scores-{}.jsonl", context.folder(), i + 1);
  };
  for (size_t i = 0; i < stage.reward_models.size(); ++i)
    add(name_of(stage.reward_models[i]), model_scores(stage.reward_models[i], out, kept_at(i), context));
  if (out.rewards.size() < 2)
    fail(ErrorKind::empty, "scores, reward_models",
         fmt::format("two rewards are needed to compare, got {}", out.rewards.size()));
  keep_comparable(out, context);
  return out;
}

}  // namespace

RewardComparison compare_on_answers(const RewardDistanceStage& stage, RunContext& context) {
  const auto scored = score_answers(stage, context);
  std::vector<std::string> names;
  for (const auto& [name, scores] : scored.rewards) names.push_back(name);
  const auto truth = find_truth(stage.truth, names);
  const auto group = at::tensor(scored.prompt, at::kLong), weights = answer_weights(group);
  const auto unit = std::get<1>(at::_unique(group, /*sorted=*/true, /*return_inverse=*/true));
  const auto prompts = unit.max().item<int64_t>() + 1;
  const auto tensor_of = [&](size_t i) { return at::tensor(scored.rewards[i].second, at::kDouble); };
  const auto trusted = tensor_of(truth);
  RewardComparison out{
      names[truth], fmt::format("{} answers to {} prompts", scored.answers.size(), prompts), prompts, {}};
  for (size_t i = 0; i < names.size(); ++i) {
    if (i == truth) continue;
    const auto other = tensor_of(i);
    ComparedReward row{names[i], {}};
    std::vector<CanonicalPair> pairs;
    for (const auto& kind : chosen_distances(stage, {"value", "none"})) {
      const auto form = [&](const Tensor& r) { return kind == "value" ? canonicalise_answers(r, group) : r; };
      pairs.push_back({"distance/" + kind, form(trusted), form(other)});
    }
    row.measures = resampled_distances(pairs, weights, unit, stage, context);
    const auto lost = answer_regret(trusted, other, group);
    row.measures.push_back({"regret/worst_case", lost.worst_case.item<double>()});
    row.measures.push_back({"regret/best_answer", lost.best.item<double>()});
    out.rewards.push_back(std::move(row));
  }
  return out;
}

}  // namespace plaudit
