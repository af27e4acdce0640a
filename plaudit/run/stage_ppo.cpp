// ppo: trains a policy of continuous control in a simulated task, from whole episodes of its own.
#include "plaudit/core/errors.h"
#include "plaudit/core/parallel.h"
#include "plaudit/env/environment.h"
#include "plaudit/run/control_run.h"
#include "plaudit/run/stage_parts.h"
#include "plaudit/run/task_policy.h"
#include "plaudit/train/on_policy.h"
#include "plaudit/train/ppo.h"

namespace plaudit {
namespace {

struct PpoStage {
  std::string environment = "Pendulum-v1";
  std::string into = "control_policy";
  OnPolicyOptions run;
  PpoOptions learner;
};

}  // namespace

template <>
void describe(OptionTable<PpoStage>& t) {
  t.field("environment", &PpoStage::environment, "the task", one_of(environment_ids()));
  t.field("into", &PpoStage::into, "name of the policy");
  t.include(&PpoStage::run);
  t.include(&PpoStage::learner);
}

namespace {

void run_ppo(const PpoStage& o, RunContext& context) {
  const ThreadLimit threads(control_threads(o.learner.hidden));
  const auto environment = make_environment(o.environment);
  const auto& spec = environment->spec();
  PpoLearner learner(spec.observation.size(), spec.action.size(), o.learner, o.run.iterations,
                     context.rng("weights"));
  ControlCurves curves;
  auto around = control_context("run", "iterations", context);
  curves.follow(around, context);
  const auto result = train_on_policy(o.environment, learner, o.run, around);
  throw_if_unfinished(result, o.run.iterations, context);

  context.summary().metric("iterations", static_cast<double>(result.steps));
  for (const auto& [name, value] : learner.metrics()) context.summary().metric(name, value);
  auto& report = context.report();
  report.heading(o.environment + ": proximal policy optimisation");
  curves.plot(report, "Mean return while learning", "step of the task", {"return"}, "environment_steps");
  curves.plot(report, "How far an iteration moves the policy", "iteration", {"approx_kl", "clip_fraction"});
  context.put(o.into, TaskPolicy{o.environment, learner.actor()});
}

PLAUDIT_STAGE(ppo, PpoStage,
              {
                  .doc = "Proximal policy optimisation in a simulated task.",
                  .writes = [](const PpoStage& o) { return Names{o.into}; },
                  .check =
                      [](const PpoStage& o) {
                        if (o.learner.hidden.empty()) fail(ErrorKind::empty, "hidden", "must name a layer");
                      },
                  .run = run_ppo,
              });

}  // namespace
}  // namespace plaudit
