// corrupt: makes part of logged control data wrong on purpose, to see how much a learner loses.
#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/core/parallel.h"
#include "plaudit/data/corruption.h"
#include "plaudit/run/control_data_artefact.h"
#include "plaudit/run/control_run.h"
#include "plaudit/run/offline_control.h"
#include "plaudit/run/stage_parts.h"
#include "plaudit/train/sac.h"

namespace plaudit {
namespace {

struct CorruptStage {
  std::string data = "transitions", into = "transitions";
  std::string element = "rewards", attack = "random";
  CorruptionOptions corruption = {};
  int64_t attack_steps = 100;
  int64_t attacker_steps = 100'000, attacker_critics = 10;
  std::vector<int64_t> attacker_hidden = {256, 256, 256};
};

}  // namespace

template <>
void describe(OptionTable<CorruptionOptions>& t) {
  t.field("rate", &CorruptionOptions::rate, "share of the rows", between(0, 1));
  t.field("range", &CorruptionOptions::range,
          "of the change, in deviations of the clean data; rewards: 30 times it is their new size, or, "
          "adversarial, a factor",
          at_least(0));
}

template <>
void describe(OptionTable<CorruptStage>& t) {
  using O = CorruptStage;
  t.field("data", &O::data, "logged control data");
  t.field("into", &O::into, "name of the corrupted data");
  t.field("element", &O::element, "what is corrupted; next_observations are the dynamics",
          one_of({"observations", "actions", "rewards", "next_observations"}));
  t.field(
      "attack", &O::attack,
      "random noise; adversarial: against the critics of an EDAC attacker that is trained on the clean data "
      "(rewards: their sign turned); none",
      one_of({"random", "adversarial", "none"}));
  t.include(&O::corruption);
  t.field("attack_steps", &O::attack_steps, "adversarial: steps of the search for the worst value",
          at_least(0));
  t.field("attacker_steps", &O::attacker_steps, "adversarial: updates of the attacker", at_least(1));
  t.field("attacker_critics", &O::attacker_critics, "adversarial: critics of the attacker", at_least(2));
  t.field("attacker_hidden", &O::attacker_hidden, "adversarial: layers of its networks", at_least(1));
}

namespace {

// The data with next observations as a column of their own. Rows whose next observation is unknown are left
// out; the row before is then the end of its episode.
ControlData with_next_observations(const ControlData& data) {
  if (data.next_observations.defined()) return data;
  const auto t = transitions_of(data);
  const int64_t last = data.size() - 1;
  const auto kept = data.timeouts.slice(0, 0, last).logical_not().nonzero().squeeze(1);
  auto ends = data.timeouts.index_select(0, kept + 1).logical_and(t.terminals.eq(0));
  ends[ends.numel() - 1].fill_(t.terminals[ends.numel() - 1].item<double>() == 0);
  ControlData out{.observations = t.observations,
                  .actions = t.actions,
                  .rewards = t.rewards,
                  .next_observations = t.next_observations,
                  .terminals = t.terminals.to(at::kBool),
                  .timeouts = ends,
                  .metadata = data.metadata};
  return checked_control_data(std::move(out), "corrupt");
}

// EDAC on the clean data, as they are.
SacLearner train_attacker(const CorruptStage& o, const OfflineData& data, RunContext& context) {
  auto options = edac_options();
  options.critics = o.attacker_critics;
  options.hidden = o.attacker_hidden;
  SacLearner learner(data.observations, data.actions, options, context.rng("attacker"));
  LoggedExperience experience(data.transitions, "attacker's data", 500);
  auto around = control_context("attacker run", "updates of the attacker", context);
  around.report = [&](int64_t step, const ControlMetrics& metrics) { context.log(step, metrics); };
  const auto result = train_control(experience, learner, {.steps = o.attacker_steps}, around);
  throw_if_unfinished(result, o.attacker_steps, context);
  return learner;
}

// Rows [M,D] of the element, moved to where the attacker's critics value them least. observations: min_x Q(x,
// a); actions: min_a Q(s, a); next observations: min_x Q(x, pi(x)).
Tensor worst_values(const CorruptStage& o, const SacLearner& attacker, const Tensor& values,
                    const Tensor& observations, const Tensor& actions, const Tensor& std, Rng& rng) {
  const auto critic = attacker.critic().frozen();
  std::vector<Tensor> parts;
  constexpr int64_t rows = 4096;
  for (int64_t at = 0; at < values.size(0); at += rows) {
    const auto part = [&](const Tensor& t) { return t.slice(0, at, std::min(at + rows, t.size(0))); };
    const auto s = part(observations), a = part(actions), x0 = part(values);
    const auto gradient = [&](const Tensor& x) {
      auto leaf = x.detach().to(at::kFloat).set_requires_grad(true);
      Tensor pair;
      if (o.element == "observations") pair = at::cat({leaf, a}, 1);
      if (o.element == "actions") pair = at::cat({s, leaf}, 1);
      if (o.element == "next_observations") {
        const auto noise = at::zeros({leaf.size(0), 1, a.size(1)}, at::kFloat);
        pair = at::cat({leaf, attacker.actor().sample(leaf, a, noise).actions.select(1, 0)}, 1);
      }
      critic(pair).mean(0).sum().backward();
      return leaf.grad();
    };
    parts.push_back(pgd_attack(x0, rng.uniform_tensor(x0.sizes()), std, gradient,
                               {.range = o.corruption.range, .steps = o.attack_steps}));
  }
  return parts.empty() ? values : at::cat(parts).to(at::kFloat);
}

Tensor attacked(const CorruptStage& o, const Tensor& clean, const Tensor& select, const ControlData& data,
                RunContext& context) {
  if (o.element == "rewards") return corrupt_reward_adversarial(clean, select, o.corruption);
  OfflineControlOptions as_is;
  as_is.data = o.data;
  as_is.normalize = false;
  const auto offline = offline_data(as_is, context);
  const auto attacker = train_attacker(o, offline, context);
  const auto chosen = (select < o.corruption.rate).nonzero().squeeze(1);
  const auto environment = make_environment(offline.environment);
  const auto& box = environment->spec().action;
  const auto unit = unit_actions(data.actions, box, o.data);
  const auto pick = [&](const Tensor& t) { return t.index_select(0, chosen); };
  // Actions are attacked on the attacker's scale, and put back on the task's.
  const bool actions = o.element == "actions";
  const auto values = actions ? unit : clean;
  const auto std = values.std(0, /*unbiased=*/false);
  auto rng = context.rng("attack");
  auto worst = worst_values(o, attacker, pick(values), pick(data.observations), pick(unit), std, rng);
  if (actions) worst = stretched_actions(worst, box);
  return clean.index_copy(0, chosen, worst);
}

void run_corrupt(const CorruptStage& o, RunContext& context) {
  auto data = with_next_observations(context.get<ControlData>(o.data));
  auto rng = context.rng("rows");
  const auto select = rng.uniform_tensor({data.size()});
  auto& column = o.element == "observations"        ? data.observations
                 : o.element == "actions"           ? data.actions
                 : o.element == "next_observations" ? data.next_observations
                                                    : data.rewards;
  const auto clean = column;
  if (o.attack == "random")
    column = corrupt_random(clean, select, rng.uniform_tensor(clean.sizes()), o.element, o.corruption).values;
  if (o.attack == "adversarial") column = attacked(o, clean, select, data, context);
  const auto wide = clean.dim() == 1 ? clean.unsqueeze(1) : clean;
  const auto changed = (column.view_as(wide) != wide).any(1).sum().item<int64_t>();
  if (o.attack != "none") {
    auto metadata = Json::parse(data.metadata);
    metadata["corrupted"] = o.element;
    data.metadata = metadata.dump();
  }
  context.summary().metric("corrupted_rows", static_cast<double>(changed));
  context.report().heading("Corruption");
  context.report().paragraph(o.attack == "none"
                                 ? "The data are clean."
                                 : fmt::format("{} of {} rows have wrong {} ({}, rate {:g}, range {:g}).",
                                               changed, data.size(), o.element, o.attack, o.corruption.rate,
                                               o.corruption.range));
  context.put(o.into, std::move(data));
}

PLAUDIT_STAGE(corrupt, CorruptStage,
              {
                  .doc = "Makes part of logged control data wrong on purpose.",
                  .reads = [](const CorruptStage& o) { return Names{o.data}; },
                  .writes = [](const CorruptStage& o) { return Names{o.into}; },
                  .check =
                      [](const CorruptStage& o) {
                        if (o.attacker_hidden.empty())
                          fail(ErrorKind::empty, "attacker_hidden", "must name a layer");
                      },
                  .run = run_corrupt,
              });

}  // namespace
}  // namespace plaudit
