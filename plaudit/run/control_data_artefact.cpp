#include "plaudit/run/control_data_artefact.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "plaudit/core/log.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/eval/control_scores.h"
#include "plaudit/eval/interval.h"
#include "plaudit/run/context.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {
namespace {

void save_control_data(const ControlData& data, const std::string& folder) {
  std::map<std::string, at::Tensor> columns{{"observations", data.observations},
                                            {"actions", data.actions},
                                            {"rewards", data.rewards},
                                            {"terminals", data.terminals},
                                            {"timeouts", data.timeouts}};
  if (data.next_observations.defined()) columns["next_observations"] = data.next_observations;
  for (const auto& [name, values] : data.infos) columns["infos/" + name] = values;
  save_safetensors(folder + "/columns.safetensors", columns);
  write_json(folder + "/metadata.json", Json::parse(data.metadata));
}

ControlData load_control_data(const std::string& folder) {
  auto columns = load_safetensors(folder + "/columns.safetensors").tensors;
  ControlData data{.observations = columns["observations"],
                   .actions = columns["actions"],
                   .rewards = columns["rewards"],
                   .next_observations = columns["next_observations"],
                   .terminals = columns["terminals"],
                   .timeouts = columns["timeouts"],
                   .metadata = read_json(folder + "/metadata.json").dump()};
  for (const auto& [name, values] : columns)
    if (name.starts_with("infos/")) data.infos[name.substr(6)] = values;
  return checked_control_data(std::move(data), folder);
}

PLAUDIT_ARTEFACT(ControlData, "control data", &save_control_data, &load_control_data);

}  // namespace

std::string environment_of(const ControlData& data) {
  return Json::parse(data.metadata).value("environment", std::string());
}

void report_control_data(const std::string& prefix, const ControlData& data, RunContext& context) {
  const auto metadata = Json::parse(data.metadata);
  const auto returns = episode_returns(data);
  const std::vector<double> list(returns.const_data_ptr<double>(),
                                 returns.const_data_ptr<double>() + returns.numel());
  const auto interval = eval::bootstrap_mean(list, context.rng("bootstrap"));
  auto& summary = context.summary();
  summary.metric(prefix + "steps", static_cast<double>(data.size()));
  summary.metric(prefix + "episodes", static_cast<double>(data.episode_starts.numel()));
  add_metric(summary, prefix + "return", interval);
  auto line =
      fmt::format("{}{} steps in {} episodes, mean return {:.1f} [{:.1f}, {:.1f}]", prefix, data.size(),
                  data.episode_starts.numel(), interval.value, interval.low, interval.high);
  const auto score = [&](const std::string& name, double random, double expert) {
    const auto scores = normalized_score(returns, random, expert);
    const double scale = 100 / (expert - random);
    summary.metric(prefix + name, scores.mean().item<double>(), scale * (interval.low - random),
                   scale * (interval.high - random), interval.n);
    line += fmt::format(", {} {:.1f}", name, scores.mean().item<double>());
  };
  if (metadata.contains("random_return") && metadata.contains("expert_return"))
    score("score", metadata["random_return"].get<double>(), metadata["expert_return"].get<double>());
  if (const auto d4rl = d4rl_references(environment_of(data)))
    score("d4rl_score", d4rl->random_return, d4rl->expert_return);
  say(line);
}

}  // namespace plaudit
