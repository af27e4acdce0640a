// Reads and writes logged control data, and asks control policies, for tests that compare with what others
// wrote.
//
//   tool_control job.json
//
// Reads and writes: {"read": path, "max_episode_steps", "next_observations", "columns": safetensors to write,
// "transitions": the same, "metadata": JSON to write, "d4rl": file to write, "minari": {"folder",
// "dataset_id", "format", "environment", "max_steps"}}. Asks: {"policy": folder, "observations": safetensors
// with observations and previous, "actions": safetensors to write}.
#include <ATen/ATen.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/data/control_files.h"
#include "plaudit/train/control_actor.h"

namespace plaudit {
namespace {

std::string text(const Json& job, const char* key) {
  return job.value(key, std::string());
}

void convert(const Json& job) {
  ControlReadOptions options{.next_observations = job.value("next_observations", false)};
  if (job.contains("max_episode_steps")) options.max_episode_steps = job["max_episode_steps"].get<int64_t>();
  const auto data = read_control_data(text(job, "read"), options);
  std::map<std::string, Tensor> columns{
      {"observations", data.observations}, {"actions", data.actions},
      {"rewards", data.rewards},           {"terminals", data.terminals},
      {"timeouts", data.timeouts},         {"episode_starts", data.episode_starts}};
  if (data.next_observations.defined()) columns["next_observations"] = data.next_observations;
  for (const auto& [name, values] : data.infos) columns["infos/" + name] = values;
  if (job.contains("columns")) save_safetensors(text(job, "columns"), columns);
  if (job.contains("metadata")) write_json(text(job, "metadata"), Json::parse(data.metadata));
  if (job.contains("transitions")) {
    const auto t = transitions_of(data);
    save_safetensors(text(job, "transitions"), {{"observations", t.observations},
                                                {"actions", t.actions},
                                                {"rewards", t.rewards},
                                                {"next_observations", t.next_observations},
                                                {"terminals", t.terminals}});
  }
  if (job.contains("d4rl")) write_d4rl(text(job, "d4rl"), data);
  if (!job.contains("minari")) return;
  const auto& m = job["minari"];
  write_minari(text(m, "folder"), data,
               {.dataset_id = text(m, "dataset_id"),
                .format = m.value("format", "hdf5"),
                .environment = text(m, "environment"),
                .max_steps = m.value("max_steps", int64_t{0})});
}

void act(const Json& job) {
  const auto actor = load_actor(text(job, "policy"));
  const auto seen = load_safetensors(text(job, "observations")).tensors;
  const auto actions = actor.act(seen.at("observations"), seen.at("previous")).select(1, 0).contiguous();
  save_safetensors(text(job, "actions"), {{"actions", actions}});
}

}  // namespace
}  // namespace plaudit

int main(int, char** arguments) {
  try {
    const auto job = plaudit::read_json(arguments[1]);
    job.contains("policy") ? plaudit::act(job) : plaudit::convert(job);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", plaudit::message_of(error).c_str());
    return 2;
  }
}
