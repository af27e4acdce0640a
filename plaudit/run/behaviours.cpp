#include "plaudit/run/behaviours.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "plaudit/core/errors.h"
#include "plaudit/core/log.h"
#include "plaudit/env/recorded_environment.h"
#include "plaudit/eval/control_rollout.h"
#include "plaudit/model/tanh_gaussian.h"
#include "plaudit/objective/sac.h"
#include "plaudit/run/control_run.h"

namespace plaudit {

template <>
void describe(OptionTable<SnapshotTraining>& t) {
  t.include(&SnapshotTraining::run);
  t.include(&SnapshotTraining::learner);
  t.field("evaluate_every", &SnapshotTraining::evaluate_every, "steps between snapshots of the policy",
          at_least(1));
  t.field("evaluate_episodes", &SnapshotTraining::evaluate_episodes, "that each snapshot is judged by",
          at_least(1));
}

template <>
void describe(OptionTable<BehaviourOptions>& t) {
  using O = BehaviourOptions;
  t.field("environment", &O::environment, "the task", one_of(environment_ids()));
  t.field(
      "actor", &O::actor,
      "the expert: an actor of Stable-Baselines3 as .safetensors, or the folder of a control policy; empty: "
      "soft actor-critic trains one first");
  t.field("medium_share", &O::medium_share, "how far from random to expert the medium policy is",
          between(0.01, 0.99));
  t.field("reference_episodes", &O::reference_episodes, "that random_return and expert_return are means of",
          at_least(1));
  t.field("training", &O::training, "of soft actor-critic, where there is no actor");
}

uint64_t episode_seed(RunContext& context, const std::string& purpose) {
  return context.rng("episodes").child(purpose).next() >> 1;  // room for adding episode numbers
}

namespace {

namespace fs = std::filesystem;
using Act = std::function<Tensor(const Tensor&, const Tensor&)>;

// It draws its actions where it has a law of one decision to draw from, else it takes the one that it means.
Act acting(const ControlActor& actor) {
  const auto& kind = actor.options().kind;
  if (kind != "mlp" && kind != "gru")
    return [actor](const Tensor& observations, const Tensor& noise) {
      return actor.act(observations, at::zeros_like(noise)).select(1, 0);
    };
  return [actor](const Tensor& observations, const Tensor& noise) {
    return actor.sample(observations, at::zeros_like(noise), noise.unsqueeze(1)).actions.select(1, 0);
  };
}

void check_fit(const std::string& path, const Environment& task, int64_t observations, int64_t actions) {
  const auto& spec = task.spec();
  if (observations == spec.observation.size() && actions == spec.action.size()) return;
  fail(ErrorKind::shape, path,
       fmt::format("takes {} observations and gives {} actions, {} has {} and {}", observations, actions,
                   spec.id, spec.observation.size(), spec.action.size()));
}

// The policy of a file draws its actions.
Act load_acting(const std::string& path, const Environment& task) {
  if (fs::is_directory(path)) {
    const auto actor = load_actor(path);
    check_fit(path, task, actor.options().observations, actor.options().actions);
    return acting(actor);
  }
  const auto policy = load_tanh_gaussian_policy(path);
  check_fit(path, task, policy.observation_size(), policy.action_size());
  return [policy](const Tensor& observations, const Tensor& noise) {
    const auto law = policy.heads(observations);
    return tanh_gaussian_sample(law.mean, law.log_std, noise).action;
  };
}

double mean_return(const BehaviourOptions& o, const Behaviour& behaviour, int64_t episodes, uint64_t seed) {
  return episode_returns(collect(o.environment, behaviour, {.episodes = episodes}, seed).data)
      .mean()
      .item<double>();
}

// The skill at which an actor with noise earns `wanted`, by halving; the same starts and noise each time.
double find_skill(const BehaviourOptions& o, const Act& act, double wanted, RunContext& context) {
  constexpr int halvings = 7;
  constexpr int64_t episodes = 20;
  const auto seed = episode_seed(context, "skill");
  double low = 0, high = 1;
  for (int i = 0; i < halvings; ++i) {
    const double skill = (low + high) / 2;
    const double earned = mean_return(o, {act, skill, skill}, episodes, seed);
    (earned < wanted ? low : high) = skill;
    context.progress(i + 1, halvings, "trials of the medium skill");
    context.throw_if_interrupted();
  }
  return (low + high) / 2;
}

Behaviours from_actor(const BehaviourOptions& o, bool medium, double random_return, RunContext& context) {
  const auto act = load_acting(o.actor, *make_environment(o.environment));
  Behaviours out{.expert = {act}, .medium = {}, .replay = {}, .random_return = random_return};
  out.expert_return =
      mean_return(o, out.expert, o.reference_episodes, episode_seed(context, "expert reference"));
  out.how = "Expert: the actor " + o.actor + ".";
  if (!medium) return out;
  const double wanted = random_return + o.medium_share * (out.expert_return - random_return);
  const double skill = find_skill(o, act, wanted, context);
  out.medium = {act, skill, skill};
  out.replay = {act, 0, skill};
  out.how +=
      fmt::format(" Medium: the same with noise, skill {:.3f}; its replay: skills from 0 to there.", skill);
  context.summary().metric("medium_skill", skill);
  return out;
}

struct Snapshot {
  int64_t step = 0;
  double evaluated = 0;
  std::string folder;
};

// Those that this run, and the processes that it continues, left in `folder`, by step.
std::vector<Snapshot> snapshots_in(const std::string& folder, int64_t last_step) {
  std::vector<Snapshot> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto file = entry.path() / "snapshot.json";
    if (!fs::exists(file)) continue;
    const auto info = read_json(file.string());
    out.push_back({info.at("step").get<int64_t>(), info.at("return").get<double>(), entry.path().string()});
  }
  std::erase_if(out, [last_step](const Snapshot& s) { return s.step > last_step; });
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  return out;
}

Behaviours from_training(const BehaviourOptions& o, bool medium, double random_return, RunContext& context) {
  const auto folder = context.folder();
  const auto snapshots = folder + "/snapshots";
  create_folder(snapshots);
  RecordedEnvironment environment(make_environment(o.environment), folder + "/replay.f32");
  const auto& spec = environment.spec();
  const auto& training = o.training;
  SacLearner learner(spec.observation.size(), spec.action.size(), training.learner, context.rng("weights"));
  const auto evaluation_seed = episode_seed(context, "evaluation");
  auto around = control_context("run", "steps", context);
  int64_t evaluated = -1;
  around.report = [&](int64_t step, const ControlMetrics& metrics) {
    environment.flush(step);
    context.log(step, metrics);
    if (step / training.evaluate_every == evaluated && step < training.run.steps) return;
    evaluated = step / training.evaluate_every;
    const double earned =
        mean_control_return(o.environment, learner.actor(), training.evaluate_episodes, evaluation_seed);
    const auto place = fmt::format("{}/{:09d}", snapshots, step);
    create_folder(place);
    save_actor(learner.actor(), place);
    write_json(place + "/snapshot.json", {{"step", step}, {"return", earned}});
    context.log(step, {{"evaluated", earned}});
  };
  const auto result = train_off_policy(environment, learner, training.run, around);
  throw_if_unfinished(result, training.run.steps, context);

  Behaviours out{.expert = {acting(learner.actor())}, .random_return = random_return};
  out.expert_return =
      mean_return(o, out.expert, o.reference_episodes, episode_seed(context, "expert reference"));
  out.how = fmt::format("Expert: soft actor-critic after {} steps.", result.steps);
  const double wanted = random_return + o.medium_share * (out.expert_return - random_return);
  const auto all = snapshots_in(snapshots, result.steps);
  Series curve{.name = "evaluation", .x = {}, .y = {}};
  for (const auto& s : all) {
    curve.x.push_back(static_cast<double>(s.step));
    curve.y.push_back(s.evaluated);
  }
  context.report().line_plot({.title = "Returns of the snapshots", .x = "steps", .y = "mean return"},
                             {curve});
  if (!medium) return out;
  const auto found =
      std::find_if(all.begin(), all.end(), [wanted](const Snapshot& s) { return s.evaluated >= wanted; });
  if (out.expert_return <= random_return || found == all.end())
    fail(ErrorKind::value, "training",
         fmt::format("no snapshot reached a return of {:.1f}, {:.2g} of the way from random, {:.1f}, to the "
                     "final policy, {:.1f}: train for more steps",
                     wanted, o.medium_share, random_return, out.expert_return));
  out.medium = {acting(load_actor(found->folder))};
  out.replay_log = environment.log(found->step);
  out.how +=
      fmt::format(" Medium: its snapshot after {} steps, return {:.1f}.", found->step, found->evaluated);
  context.summary().metric("medium_step", static_cast<double>(found->step));
  return out;
}

}  // namespace

Behaviours make_behaviours(const BehaviourOptions& o, bool medium, RunContext& context) {
  const double random_return =
      mean_return(o, {}, o.reference_episodes, episode_seed(context, "random reference"));
  auto out = o.actor.empty() ? from_training(o, medium, random_return, context)
                             : from_actor(o, medium, random_return, context);
  say(out.how);
  return out;
}

}  // namespace plaudit
