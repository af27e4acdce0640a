#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/data/control_files.h"
#include "plaudit/data/hdf5.h"

namespace plaudit {
namespace {

Tensor column(const Hdf5Reader& file, const std::string& name) {
  if (!file.has(name)) {
    const auto names = file.members();
    fail(ErrorKind::value, file.path(),
         fmt::format("the column '{}' is missing{}", name, suggestion(name, names)));
  }
  return file.read(name);
}

// Every column of numbers below a group, as "qpos" or "policy/fc0/weight".
void collect_columns(const Hdf5Reader& file, const std::string& group, const std::string& prefix,
                     std::vector<std::string>& names) {
  for (const auto& name : file.members(group)) {
    const auto path = group + "/" + name;
    if (file.is_group(path))
      collect_columns(file, path, prefix + name + "/", names);
    else
      names.push_back(prefix + name);
  }
}

std::map<std::string, Tensor> read_infos(const Hdf5Reader& file) {
  std::map<std::string, Tensor> out;
  if (!file.is_group("infos")) return out;
  std::vector<std::string> names;
  collect_columns(file, "infos", "", names);
  for (const auto& name : names)
    if (file.element_kind("infos/" + name) == "number") out[name] = file.read("infos/" + name);
  return out;
}

// The single numbers and texts; weights of the policy that made the data stay in the file.
Json read_metadata(const Hdf5Reader& file) {
  Json out = file.attributes();
  if (!file.is_group("metadata")) return out;
  for (const auto& name : file.members("metadata")) {
    const auto path = "metadata/" + name;
    if (file.is_group(path)) continue;
    const auto kind = file.element_kind(path);
    if (kind == "text") {
      try {
        out[name] = file.read_text(path);
      } catch (const UserError&) {  // a list of texts is no single one
      }
    } else if (kind == "number") {
      const auto value = file.read(path);
      if (value.numel() != 1) continue;
      if (at::isFloatingType(value.scalar_type()))
        out[name] = value.item<double>();
      else
        out[name] = value.item<int64_t>();
    }
  }
  return out;
}

// The rows that are the `limit`-th since the last end.
void add_time_limit(const Tensor& terminals, Tensor& timeouts, int64_t limit) {
  const auto ends = terminals.ne(0).contiguous();
  timeouts = timeouts.ne(0).contiguous();
  const auto* terminal = ends.const_data_ptr<bool>();
  auto* timeout = timeouts.mutable_data_ptr<bool>();
  int64_t steps = 0;
  for (int64_t i = 0; i < ends.numel(); ++i) {
    timeout[i] = timeout[i] || ++steps >= limit;
    if (timeout[i] || terminal[i]) steps = 0;
  }
}

}  // namespace

ControlData read_d4rl(const std::string& path, const ControlReadOptions& options) {
  const Hdf5Reader file(path);
  if (!file.has("observations") && file.has("episode_0"))
    fail(ErrorKind::io, path, "is the main file of a Minari data set, whose metadata.json is not beside it");
  ControlData data{.observations = column(file, "observations"),
                   .actions = column(file, "actions"),
                   .rewards = column(file, "rewards"),
                   .terminals = column(file, "terminals"),
                   .infos = read_infos(file),
                   .metadata = read_metadata(file).dump()};
  if (options.next_observations) data.next_observations = column(file, "next_observations");
  const auto& limit = options.max_episode_steps;
  if (limit && *limit < 1)
    fail(ErrorKind::value, "max_episode_steps", fmt::format("must be >= 1, got {}", *limit));
  if (file.has("timeouts"))
    data.timeouts = file.read("timeouts");
  else if (limit)
    data.timeouts = at::zeros(data.terminals.sizes(), at::kBool);
  else
    fail(ErrorKind::value, path,
         "has no column 'timeouts' (a v0 file of D4RL): give max_episode_steps, the time limit of its task");
  if (limit) add_time_limit(data.terminals, data.timeouts, *limit);
  return checked_control_data(std::move(data), path);
}

void write_d4rl(const std::string& path, const ControlData& data) {
  Hdf5Writer file(path);
  file.write("observations", data.observations);
  file.write("actions", data.actions);
  file.write("rewards", data.rewards);
  file.write("terminals", data.terminals);
  file.write("timeouts", data.timeouts);
  if (data.next_observations.defined()) file.write("next_observations", data.next_observations);
  for (const auto& [name, values] : data.infos) file.write("infos/" + name, values);
  const auto metadata = Json::parse(data.metadata);
  for (const auto& [name, value] : metadata.items()) {
    if (value.is_number_float())
      file.write("metadata/" + name, at::scalar_tensor(value.get<double>(), at::kDouble));
    else if (value.is_number_integer())
      file.write("metadata/" + name, at::scalar_tensor(value.get<int64_t>(), at::kLong));
    else
      file.write_text("metadata/" + name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  file.commit();
}

std::string control_format(const std::string& path) {
  namespace fs = std::filesystem;
  if (!fs::exists(path)) fail(ErrorKind::io, path, "there is no such file or folder");
  if (!fs::is_directory(path))
    return fs::exists(fs::path(path).parent_path() / "metadata.json") &&
                   fs::path(path).filename() == "main_data.hdf5"
               ? "minari"
               : "d4rl";
  if (!fs::exists(fs::path(path) / "data/metadata.json") && !fs::exists(fs::path(path) / "metadata.json"))
    fail(ErrorKind::io, path, "is a folder without data/metadata.json: no data set of Minari");
  return "minari";
}

ControlData read_control_data(const std::string& path, const ControlReadOptions& options) {
  return control_format(path) == "minari" ? read_minari(path, options) : read_d4rl(path, options);
}

}  // namespace plaudit
