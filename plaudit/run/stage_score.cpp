// score: a judge scores each sampled answer by itself; several of these stages give several objectives.
#include <cmath>
#include <numeric>

#include "plaudit/feedback/pair_labels.h"
#include "plaudit/run/scored_answers.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

namespace {

void run_score(const ObjectiveChoice& options, RunContext& context) {
  const auto& answers = context.get<SampledAnswers>("answers");
  const auto judge = make_judge(options.judge, context);
  auto lists = to_judge(answers);
  judge_answers(*judge, lists);

  ScoredAnswers scored;
  // Scores of other answers are of an earlier turn: these are the first of theirs.
  if (context.has("scores") && same_answers(context.get<ScoredAnswers>("scores").answers, answers)) {
    scored = context.get<ScoredAnswers>("scores");
  } else {
    scored.answers = answers;
    for (const auto& list : answers.lists) scored.scores.emplace_back(list.completions.size());
  }
  const auto name = objective_name(options);
  if (std::find(scored.objectives.begin(), scored.objectives.end(), name) != scored.objectives.end())
    fail(ErrorKind::value, "as", "the answers have scores of '" + name + "' already: choose another name");
  scored.objectives.push_back(name);

  std::vector<double> good;
  std::map<std::string, int64_t> errors;
  for (size_t i = 0; i < lists.size(); ++i) {
    for (size_t k = 0; k < lists[i].judgements.size(); ++k) {
      const auto& judgement = lists[i].judgements[k];
      const bool stands = judgement.error.empty();
      scored.scores[i][k].push_back(stands ? options.scale * judgement.score : NAN);
      if (stands)
        good.push_back(options.scale * judgement.score);
      else
        ++errors[judgement.error];
    }
  }
  for (const auto& [error, count] : errors) context.summary().rejected("answers not judged: " + error, count);
  if (good.empty()) fail(ErrorKind::empty, "score", "judge " + judge->name() + " could judge no answer");
  add_metric(context.summary(), "score/" + name, eval::bootstrap_mean(good, context.rng("bootstrap")));
  context.put("scores", std::move(scored));
}

PLAUDIT_STAGE(score, ObjectiveChoice,
              {
                  .doc = "A judge scores each answer; one such stage per objective.",
                  .reads =
                      [](const ObjectiveChoice& options) {
                        auto names = judge_reads(options.judge);
                        names.push_back("answers");
                        names.push_back("scores?");
                        return names;
                      },
                  .writes = {"scores"},
                  .check = [](const ObjectiveChoice& options) { check_judge(options.judge); },
                  .run = run_score,
              });

}  // namespace
}  // namespace plaudit
