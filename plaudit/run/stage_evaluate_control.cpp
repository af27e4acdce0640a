// evaluate_control: what a policy of control earns in its task.
#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "plaudit/core/log.h"
#include "plaudit/eval/control_rollout.h"
#include "plaudit/eval/control_scores.h"
#include "plaudit/eval/interval.h"
#include "plaudit/run/behaviours.h"
#include "plaudit/run/stage_parts.h"
#include "plaudit/run/task_policy.h"

namespace plaudit {
namespace {

struct EvaluateControlStage {
  std::string policy = "control_policy", data = "transitions";
  int64_t episodes = 100;
  std::optional<double> random_return = {}, expert_return = {};
};

}  // namespace

template <>
void describe(OptionTable<EvaluateControlStage>& t) {
  using O = EvaluateControlStage;
  t.field("policy", &O::policy, "who acts");
  t.field("data", &O::data, "the logged data whose reference returns count, where there are any");
  t.field("episodes", &O::episodes, "whole episodes", at_least(1));
  t.field("random_return", &O::random_return, "that scores 0; absent: the data's, or D4RL's");
  t.field("expert_return", &O::expert_return, "that scores 100; absent: the data's, or D4RL's");
}

namespace {

std::optional<ReferenceReturns> references(const EvaluateControlStage& o, const std::string& environment,
                                           RunContext& context) {
  if (o.random_return && o.expert_return) return ReferenceReturns{*o.random_return, *o.expert_return};
  if (context.has(o.data)) {
    const auto metadata = Json::parse(context.get<ControlData>(o.data).metadata);
    if (metadata.contains("random_return") && metadata.contains("expert_return"))
      return ReferenceReturns{metadata["random_return"].get<double>(),
                              metadata["expert_return"].get<double>()};
  }
  return d4rl_references(environment);
}

void run_evaluate_control(const EvaluateControlStage& o, RunContext& context) {
  const auto& policy = context.get<TaskPolicy>(o.policy);
  const auto earned =
      control_returns(policy.environment, policy.actor, o.episodes, episode_seed(context, "evaluation"));
  const auto interval = eval::bootstrap_mean(earned.returns, context.rng("bootstrap"));
  add_metric(context.summary(), "return", interval);
  std::vector<std::vector<std::string>> rows = {
      {"return", fmt::format("{:.1f}", interval.value),
       fmt::format("{:.1f} to {:.1f}", interval.low, interval.high)}};
  const auto scale = references(o, policy.environment, context);
  if (scale) {
    const auto score = [&](double r) {
      return normalized_score(at::full({1}, r, at::kDouble), scale->random_return, scale->expert_return)
          .item<double>();
    };
    context.summary().metric("score", score(interval.value), score(interval.low), score(interval.high),
                             interval.n);
    rows.push_back({"score", fmt::format("{:.1f}", score(interval.value)),
                    fmt::format("{:.1f} to {:.1f}", score(interval.low), score(interval.high))});
  }
  auto& report = context.report();
  report.heading(fmt::format("{}: {} episodes", policy.environment, o.episodes));
  report.table({"", "mean", "95 % interval"}, rows);
  if (scale)
    report.paragraph(fmt::format("Scores: 0 is a return of {:.1f} (uniform actions), 100 is {:.1f} (expert).",
                                 scale->random_return, scale->expert_return));
  say(fmt::format("{}: mean return {:.1f} of {} episodes", policy.environment, interval.value, o.episodes));
}

PLAUDIT_STAGE(evaluate_control, EvaluateControlStage,
              {
                  .doc = "Returns of a policy of control over whole episodes, and its score.",
                  .reads =
                      [](const EvaluateControlStage& o) {
                        return Names{o.policy, o.data + "?"};
                      },
                  .run = run_evaluate_control,
              });

}  // namespace
}  // namespace plaudit
