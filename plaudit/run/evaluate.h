// The suites of the `evaluate` stage. Prompts that their judge cannot judge are left out (judged_prompts.h).
#pragma once

#include <string>
#include <vector>

#include "plaudit/run/judged_prompts.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

// Value-augmented sampling of the policy (plan/value_steering.h).
struct SteerOptions {
  std::vector<double> beta = {5};
  int64_t candidates = 15;
};
template <>
void describe(OptionTable<SteerOptions>& table);

struct EvaluateStage {
  std::string suite = "win-rate";
  PromptChoice prompts = {};
  JudgeChoice judge = {};
  double max_unjudged = kMaxUnjudged;
  SamplingOptions sampling = {.max_new_tokens = 64};
  int64_t samples = 20;
  std::string data;
  int64_t bins = 10;
  std::vector<int64_t> n = {1, 2, 4, 8};
  std::string model = "reference";
  int64_t revisions = 0;
  std::string revise;  // "": kReviseInstruction
  bool diversity = false;
  std::optional<SteerOptions> steer = {};
  std::vector<double> angles = {0, 45, 90};
  std::vector<ObjectiveChoice> objectives = {};
  std::string value_folder;  // values of another run; "": the recipe's value_model
};
template <>
void describe(OptionTable<EvaluateStage>& table);

// Policy and reference answer the same prompts by the same draws; the judge scores both. Metrics, each with a
// bootstrap interval over prompts: judge/policy, judge/reference, judge/gain, win_rate, kl (nats per answer,
// on the policy's own answers) and, with a reward model, reward/policy, reward/reference, reward/gain.
//
// With `revisions`, both then revise their own answers that often, each time asked by `revise` behind the
// answer before (data/revision.h): judge/policy@k, judge/reference@k, win_rate@k of the k-th revisions and
// revision_gain, the last revision's score of the policy over its first answer's. With `diversity`,
// self_bleu/policy and self_bleu/reference over the answers to all prompts, and distinct_2 of both: lower and
// higher are more diverse.
void evaluate_win_rate(const EvaluateStage& stage, RunContext& context);

// The mean negative log-likelihood per token of held-out answers (the better one of each held-out pair), an
// interval over answers: nll/policy, nll/reference, nll/gain (policy less reference: below 0 is better).
void evaluate_likelihood(const EvaluateStage& stage, RunContext& context);
// One policy that reads directions in its prompts, at several angles over two objectives. Metrics with
// intervals over prompts: <objective>@<angle>, <objective>/reference (plain prompts) and gain@<angle>, how
// much better than the reference the answers are in the direction that they were asked for.
void evaluate_directions(const EvaluateStage& stage, RunContext& context);

// On pairs with a label other than 1/2: reward/accuracy, reward/ece, reward/nll, and the calibration as a
// plot.
void evaluate_reward_accuracy(const EvaluateStage& stage, RunContext& context);

// The reward model chooses the best of n answers; how the judge likes the choice (best_of_n/judge@N) and what
// the reward model promised (best_of_n/reward@N). Unbiased over all subsets of the largest n.
void evaluate_best_of_n(const EvaluateStage& stage, RunContext& context);

}  // namespace plaudit
