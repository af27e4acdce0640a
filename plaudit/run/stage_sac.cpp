// sac: trains a policy of continuous control in a simulated task; decision_frequency: how it stands up to
// deciding less often.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/parallel.h"
#include "plaudit/env/environment.h"
#include "plaudit/eval/control_scores.h"
#include "plaudit/eval/decision_frequency.h"
#include "plaudit/eval/interval.h"
#include "plaudit/run/control_run.h"
#include "plaudit/run/stage_parts.h"
#include "plaudit/run/task_policy.h"
#include "plaudit/train/off_policy.h"
#include "plaudit/train/sac.h"

namespace plaudit {
namespace {

struct SacStage {
  std::string environment = "Pendulum-v1";
  std::string into = "control_policy";
  OffPolicyOptions run;
  SacOptions learner;
};

std::vector<int64_t> default_lengths() {
  std::vector<int64_t> out = {1};
  for (int64_t n = 2; n <= 30; n += 2) out.push_back(n);
  return out;
}

struct DecisionFrequencyStage {
  std::string policy = "control_policy";
  std::vector<int64_t> lengths = default_lengths();
  int64_t episodes = 10;
  std::optional<double> max_return = {}, shift = {};
};

}  // namespace

template <>
void describe(OptionTable<SacStage>& t) {
  t.field("environment", &SacStage::environment, "the task", one_of(environment_ids()));
  t.field("into", &SacStage::into, "name of the policy");
  t.include(&SacStage::run);
  t.include(&SacStage::learner);
}

template <>
void describe(OptionTable<DecisionFrequencyStage>& t) {
  using O = DecisionFrequencyStage;
  t.field("policy", &O::policy, "who decides");
  t.field("lengths", &O::lengths, "steps between decisions, increasing", at_least(1));
  t.field("episodes", &O::episodes, "for each, from the same starts", at_least(1));
  t.field("max_return", &O::max_return, "the return that scores 1, after the shift; absent: the paper's",
          greater_than(0));
  t.field("shift", &O::shift, "added to returns; absent: the paper's");
}

namespace {

void run_sac(const SacStage& o, RunContext& context) {
  const ThreadLimit threads(control_threads(o.learner.hidden));
  const auto environment = make_environment(o.environment);
  const auto& spec = environment->spec();
  SacLearner learner(spec.observation.size(), spec.action.size(), o.learner, context.rng("weights"));
  ControlCurves curves;
  auto around = control_context("run", "steps", context);
  curves.follow(around, context);
  const auto result = train_off_policy(*environment, learner, o.run, around);
  throw_if_unfinished(result, o.run.steps, context);
  context.summary().metric("steps", static_cast<double>(result.steps));
  auto& report = context.report();
  report.heading(fmt::format("{}: soft actor-critic, {} action{} a decision", o.environment,
                             o.learner.sequence, o.learner.sequence == 1 ? "" : "s"));
  curves.plot(report, "Returns while learning", "step", {"return"});
  context.put(o.into, TaskPolicy{o.environment, learner.actor()});
}

// The paper's best returns and shifts, by task.
struct Scale {
  std::string task;
  double max_return, shift;
};
const std::vector<Scale> kScales = {{"Pendulum", 1350, 1550},
                                    {"Reacher", 60, 65},
                                    {"Hopper", 3600, 0},
                                    {"Walker2d", 5000, 0},
                                    {"Ant", 6500, 0},
                                    {"HalfCheetah", 17000, 0},
                                    {"Humanoid", 10500, 0},
                                    {"InvertedPendulum", 1000, 0},
                                    {"InvertedDoublePendulum", 9400, 0},
                                    {"Swimmer", 350, 0}};

Scale scale_of(const DecisionFrequencyStage& o, const std::string& environment) {
  const auto task = environment.substr(0, environment.find('-'));
  const auto found =
      std::find_if(kScales.begin(), kScales.end(), [&](const Scale& s) { return s.task == task; });
  if (found == kScales.end() && !o.max_return)
    fail(ErrorKind::value, "max_return", "is needed: the paper has none for " + environment);
  Scale out = found == kScales.end() ? Scale{task, *o.max_return, 0} : *found;
  out.max_return = o.max_return.value_or(out.max_return);
  out.shift = o.shift.value_or(out.shift);
  return out;
}

void run_decision_frequency(const DecisionFrequencyStage& o, RunContext& context) {
  const auto& policy = context.get<TaskPolicy>(o.policy);
  const auto scale = scale_of(o, policy.environment);
  const auto returns =
      frequency_returns([&] { return make_environment(policy.environment); },
                        [&](const at::Tensor& observations, const at::Tensor& previous, int64_t length) {
                          return policy.actor.act(observations, previous, length);
                        },
                        o.lengths, o.episodes, context.rng("starts"));
  const auto lengths = at::tensor(o.lengths, at::kLong).to(at::kDouble), mean = returns.mean(1);
  auto& summary = context.summary();
  const double fas = frequency_averaged_score(lengths, mean, scale.max_return, scale.shift).item<double>();
  summary.metric("fas", fas);
  Series curve{.name = "policy", .x = {}, .y = {}};
  for (size_t i = 0; i < o.lengths.size(); ++i) {
    const auto row = returns[static_cast<int64_t>(i)].contiguous();
    const auto interval = eval::bootstrap_mean({row.data_ptr<double>(), row.data_ptr<double>() + row.numel()},
                                               context.rng("bootstrap").child(static_cast<int64_t>(i)));
    add_metric(summary, fmt::format("return@{}", o.lengths[i]), interval);
    summary.metric(fmt::format("interval@{}", o.lengths[i]), static_cast<double>(o.lengths[i]));
    curve.x.push_back(static_cast<double>(o.lengths[i]));
    curve.y.push_back(interval.value);
    curve.low.push_back(interval.low);
    curve.high.push_back(interval.high);
  }
  auto& report = context.report();
  report.heading("Deciding less often");
  report.paragraph(fmt::format(
      "Frequency-averaged score {:.3f}: the area under the curve, returns shifted by {:g} and over {:g}.",
      fas, scale.shift, scale.max_return));
  report.line_plot({.title = "Return when a decision comes every n steps", .x = "n", .y = "mean return"},
                   {curve});
}

PLAUDIT_STAGE(sac, SacStage,
              {
                  .doc = "Soft actor-critic in a simulated task, one action a decision or a sequence.",
                  .writes = [](const SacStage& o) { return Names{o.into}; },
                  .check =
                      [](const SacStage& o) {
                        if (o.learner.hidden.empty()) fail(ErrorKind::empty, "hidden", "must name a layer");
                        if (o.learner.sequence > 1 &&
                            (o.learner.hidden.size() != 2 || o.learner.hidden[0] != o.learner.hidden[1]))
                          fail(ErrorKind::value, "hidden",
                               "must be two equal sizes when sequence is above 1: encoder and GRU");
                        if (o.run.random_steps >= o.run.steps)
                          fail(ErrorKind::value, "random_steps",
                               fmt::format("must be below steps, {}, got {}", o.run.steps,
                                           o.run.random_steps));
                      },
                  .run = run_sac,
              });

PLAUDIT_STAGE(decision_frequency, DecisionFrequencyStage,
              {
                  .doc = "Returns of a policy that decides only every n-th step, and their area (FAS).",
                  .reads = [](const DecisionFrequencyStage& o) { return Names{o.policy}; },
                  .check =
                      [](const DecisionFrequencyStage& o) {
                        for (size_t i = 1; i < o.lengths.size(); ++i)
                          if (o.lengths[i] <= o.lengths[i - 1])
                            fail(ErrorKind::value, "lengths",
                                 fmt::format("must increase, got {} after {}", o.lengths[i],
                                             o.lengths[i - 1]));
                        if (o.lengths.size() < 2) fail(ErrorKind::value, "lengths", "must be two at least");
                      },
                  .run = run_decision_frequency,
              });

}  // namespace
}  // namespace plaudit
