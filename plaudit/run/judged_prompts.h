// Prompts of an evaluation that its judge cannot judge.
//
// Of a record that is of no use to the judge (a verifier that is not named or not known, a ground truth that
// is missing) this is known before any work: check_judged_prompts() refuses a recipe with too many of them
// before it trains anything. Of an answer (too long for a reward model) it is known once there is one. Either
// way the whole prompt is left out, for all models that are compared, counted by reason, its share stated,
// and listed in the report; above `max_unjudged` the stage is refused. Nothing is ever scored 0 for it.
#pragma once

#include <string>
#include <vector>

#include "plaudit/eval/policy_answers.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

constexpr double kMaxUnjudged = 0.05;  // as max_rejected of readers

// For `.check`: reads the prompts, so that whatever is wrong with the file is found here, too. UserErrors,
// with the key `prompts`: those of read_prompts; more than `max_unjudged` of the records of no use to a judge
// (value), with the first of them and its reason.
void check_judged_prompts(const PromptChoice& prompts, const std::vector<JudgeChoice>& judges,
                          double max_unjudged);

// The prompts whose records every judge can use. UserErrors: those of load_prompt_records and of above.
std::vector<PromptRecord> load_judged_prompts(const PromptChoice& prompts,
                                              const std::vector<const Judge*>& judges, double max_unjudged,
                                              RunContext& context);

// Scores of several models' answers to the same prompts by several judges: [judges * models], judge by judge,
// each in the order of flat(). Prompts with an answer that cannot be judged are dropped from all `models`.
// UserError (value): too many of them.
std::vector<std::vector<double>> judge_together(const std::vector<Judge*>& judges,
                                                const std::vector<PolicyAnswers*>& models,
                                                double max_unjudged, RunContext& context);

}  // namespace plaudit
