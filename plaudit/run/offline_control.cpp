#include "plaudit/run/offline_control.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/core/parallel.h"
#include "plaudit/eval/control_rollout.h"
#include "plaudit/run/behaviours.h"
#include "plaudit/run/control_data_artefact.h"
#include "plaudit/run/control_run.h"

namespace plaudit {

template <>
void describe(OptionTable<OfflineControlOptions>& t) {
  using O = OfflineControlOptions;
  t.field("data", &O::data, "logged control data");
  t.field("into", &O::into, "name of the policy");
  t.field("normalize", &O::normalize,
          "observations have mean 0 and deviation 1; the scale is kept with the policy");
  t.field("steps", &O::steps, "updates", at_least(1));
  t.field("batch", &O::batch, "transitions of an update", at_least(1));
  t.field("report_every", &O::report_every, "updates between lines of the log; Ctrl-C stops at the next",
          at_least(1));
  t.field("save_every", &O::save_every, "updates between checkpoints", at_least(1));
  t.field("evaluate_every", &O::evaluate_every, "updates between evaluations; 0: none", at_least(0));
  t.field("evaluate_episodes", &O::evaluate_episodes, "of each", at_least(1));
}

OfflineData offline_data(const OfflineControlOptions& o, RunContext& context) {
  const auto& data = context.get<ControlData>(o.data);
  const auto named = environment_of(data), source = "data '" + o.data + "'";
  const auto known = environment_ids();
  if (std::find(known.begin(), known.end(), named) == known.end())
    fail(ErrorKind::value, source,
         named.empty() ? "do not say which task they are of: give `environment` to control_data"
                       : "are of '" + named + "', which is not known" + suggestion(named, known));
  const auto environment = make_environment(named);
  const auto& spec = environment->spec();
  check_widths(data, source, named, spec.observation.size(), spec.action.size());
  OfflineData out{named, spec.observation.size(), spec.action.size(), transitions_of(data), {}, {}};
  const bool outside = Json::parse(data.metadata).value("corrupted", std::string()) == "actions";
  auto& t = out.transitions;
  t.actions = unit_actions(t.actions, spec.action, source, !outside);
  if (o.normalize) {
    const auto scaled = normalize_observations(t.observations, t.next_observations);
    out.mean = scaled.mean;
    out.std = scaled.std;
    t.observations = scaled.observations;
    t.next_observations = scaled.next_observations;
  }
  return out;
}

void run_offline_control(const std::string& title, const OfflineControlOptions& o,
                         const std::vector<int64_t>& hidden, const MakeControlLearner& make,
                         RunContext& context) {
  const ThreadLimit threads(control_threads(hidden));
  const auto data = offline_data(o, context);
  LoggedExperience experience(data.transitions, "data '" + o.data + "'", o.report_every);
  const auto learner = make(data.observations, data.actions);
  const auto policy = [&] {
    auto actor = learner->actor();
    if (data.mean.defined()) actor.set_scale(data.mean, data.std);
    return actor;
  };
  ControlCurves curves;
  auto around = control_context("run", "updates", context);
  curves.follow(around, context);
  if (o.evaluate_every > 0)
    around.evaluate = [&, seed = episode_seed(context, "evaluation")](int64_t) {
      return ControlMetrics{
          {"return", mean_control_return(data.environment, policy(), o.evaluate_episodes, seed)}};
    };
  const ControlLoopOptions loop{o.steps, o.batch, o.save_every, o.evaluate_every};
  const auto result = train_control(experience, *learner, loop, around);
  throw_if_unfinished(result, o.steps, context);

  context.summary().metric("updates", static_cast<double>(result.steps));
  for (const auto& [name, value] : learner->metrics()) context.summary().metric(name, value);
  auto& report = context.report();
  report.heading(data.environment + ": " + title);
  report.paragraph(fmt::format("{} updates of {} transitions, drawn from {}; observations {}.", result.steps,
                               o.batch, experience.size(),
                               data.mean.defined() ? "normalised" : "as they are"));
  curves.plot(report, "Return while learning", "update", {"return"});
  curves.plot(report, "Loss of the critics", "update", {"critic_loss", "value_loss"});
  curves.plot(report, "Loss of the policy", "update", {"actor_loss"});
  context.put(o.into, TaskPolicy{data.environment, policy()});
}

}  // namespace plaudit
