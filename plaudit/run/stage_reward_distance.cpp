// reward_distance: how much a candidate reward differs from a trusted one, before a policy is trained on it.
#include "plaudit/core/errors.h"
#include "plaudit/run/compare_rewards.h"
#include "plaudit/run/option_use.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

template <>
void describe(OptionTable<RewardDistanceStage>& t) {
  using O = RewardDistanceStage;
  t.field("tables", &O::tables, "file of a finite MDP and rewards: JSON or safetensors");
  t.field("transitions", &O::transitions,
          "file of transitions that rewards scored: JSON lines or safetensors");
  t.field("answers", &O::answers,
          "file of prompts with several answers; their scores are a reward named after the file");
  t.field("scores", &O::scores, "answers: files with the same answers and other scores");
  t.field("reward_models", &O::reward_models, "answers: folders of reward models");
  t.field("truth", &O::truth, "name of the trusted reward; empty: the one named true, else the first");
  t.field("distances", &O::distances,
          "which: value and minimal (STARC), none, epic, dard; empty: all that there can be",
          one_of({"value", "minimal", "none", "epic", "dard"}));
  t.field("gamma", &O::gamma, "discount; absent: that of the file, else 0.99", from_to_below(0, 1));
  t.field("order", &O::order, "p of the norms", one_of({"1", "2", "inf"}));
  t.field("features", &O::features, "transitions: random features of the value function", at_least(0));
  t.field("resamples", &O::resamples, "of the intervals", at_least(2));
}

size_t find_truth(const std::string& truth, const std::vector<std::string>& names) {
  const auto found = std::find(names.begin(), names.end(), truth.empty() ? "true" : truth);
  if (found == names.end() && truth.empty()) return 0;
  if (found == names.end())
    fail(ErrorKind::value, "truth", "'" + truth + "' is no reward here" + suggestion(truth, names));
  return static_cast<size_t>(found - names.begin());
}

namespace {

void check_reward_distance(const RewardDistanceStage& o) {
  const int sources = !o.tables.empty() + !o.transitions.empty() + !o.answers.empty();
  if (sources != 1)
    fail(ErrorKind::value, "tables, transitions, answers",
         fmt::format("exactly one of them is needed, got {}", sources));
  const std::vector<std::string> common = {"truth", "distances", "order"};
  if (!o.tables.empty()) {
    refuse_unused(o, "a comparison on tables", joined({{"tables", "gamma"}, common}));
    check_file("tables", o.tables);
  }
  if (!o.transitions.empty()) {
    refuse_unused(o, "a comparison on transitions",
                  joined({{"transitions", "gamma", "features", "resamples"}, common}));
    check_file("transitions", o.transitions);
  }
  if (!o.answers.empty()) {
    refuse_unused(o, "a comparison on answers",
                  joined({{"answers", "scores", "reward_models", "resamples"}, common}));
    check_file("answers", o.answers);
    for (const auto& file : o.scores) check_file("scores", file);
    for (const auto& folder : o.reward_models) check_file("reward_models", folder + "/reward.json");
  }
  const bool tables = !o.tables.empty();
  for (const auto& distance : o.distances) {
    const bool unknown = (distance == "minimal" && !tables) ||
                         (!o.answers.empty() && distance != "value" && distance != "none");
    if (unknown)
      fail(ErrorKind::value, "distances",
           distance + (tables ? ""
                              : " needs the tables of an MDP" +
                                    std::string(o.answers.empty()
                                                    ? ""
                                                    : ", or transitions: answers have value and none")));
  }
}

std::string cell(const ComparedReward::Measure& m) {
  return m.low ? fmt::format("{:.4f} ({:.4f} to {:.4f})", m.value, *m.low, *m.high)
               : fmt::format("{:.4f}", m.value);
}

void report(const RewardComparison& c, RunContext& context) {
  auto& page = context.report();
  page.heading("Rewards compared with " + c.truth);
  page.paragraph("On " + c.examples +
                 ". A distance by value or minimal is 0 where both rewards order all policies alike and at "
                 "most 2; regret is the share of the trusted reward's range of returns that can be lost.");
  std::vector<std::string> header = {"reward"};
  for (const auto& m : c.rewards.front().measures) header.push_back(m.name);
  std::vector<std::vector<std::string>> rows;
  for (const auto& reward : c.rewards) {
    std::vector<std::string> row = {reward.name};
    for (const auto& m : reward.measures) {
      row.push_back(cell(m));
      const auto name = m.name + "/" + reward.name;
      if (m.low)
        context.summary().metric(name, m.value, *m.low, *m.high, c.n);
      else
        context.summary().metric(name, m.value);
    }
    rows.push_back(std::move(row));
  }
  page.table(header, rows);
  for (size_t i = 0; i < c.rewards.front().measures.size(); ++i) {
    std::vector<Bar> bars;
    for (const auto& reward : c.rewards) {
      const auto& m = reward.measures[i];
      bars.push_back({reward.name, m.value, m.low.value_or(m.value), m.high.value_or(m.value)});
    }
    const auto& name = c.rewards.front().measures[i].name;
    page.bar_plot({.title = name + ", from " + c.truth, .x = name, .y = ""}, bars);
  }
}

void run_reward_distance(const RewardDistanceStage& o, RunContext& context) {
  report(!o.tables.empty()        ? compare_on_tables(o)
         : !o.transitions.empty() ? compare_on_transitions(o, context)
                                  : compare_on_answers(o, context),
         context);
}

PLAUDIT_STAGE(reward_distance, RewardDistanceStage,
              {
                  .doc = "Distances between rewards, and the regret that one costs the other (STARC).",
                  .check = check_reward_distance,
                  .run = run_reward_distance,
              });

}  // namespace
}  // namespace plaudit
