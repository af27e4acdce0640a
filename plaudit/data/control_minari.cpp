#include <ATen/ATen.h>
#include <fmt/format.h>

#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>

#include "plaudit/core/errors.h"
#include "plaudit/data/control_files.h"
#include "plaudit/data/minari_episode.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

// The folder with metadata.json, whichever way the user named it.
std::string data_folder(const std::string& path) {
  if (!fs::is_directory(path)) return fs::path(path).parent_path().string();
  return fs::exists(fs::path(path) / "data/metadata.json") ? (fs::path(path) / "data").string() : path;
}

// What metadata.json says, and under the names that all sources share.
Json shared_metadata(Json metadata) {
  for (const auto& [theirs, ours] :
       {std::pair{"ref_min_score", "random_return"}, {"ref_max_score", "expert_return"}})
    if (metadata.contains(theirs) && metadata[theirs].is_number() && !metadata.contains(ours))
      metadata[ours] = metadata[theirs];
  if (metadata.contains("environment") || !metadata.contains("env_spec")) return metadata;
  const auto spec = metadata["env_spec"].is_string()
                        ? Json::parse(metadata["env_spec"].get<std::string>(), nullptr, false)
                        : metadata["env_spec"];
  if (spec.is_object() && spec.contains("id")) metadata["environment"] = spec["id"];
  return metadata;
}

// Minari's JSON of a space, which may hold the bare words Infinity and NaN.
Json space_of(const Json& metadata, const std::string& name) {
  if (!metadata.contains(name) || !metadata[name].is_string()) return metadata.value(name, Json::object());
  static const std::regex bare("-?Infinity|NaN");
  return Json::parse(std::regex_replace(metadata[name].get<std::string>(), bare, "null"), nullptr, false);
}

// Pictures and other grids of numbers are not vectors; the tables of Minari hold them as if they were.
void check_space(const std::string& where, const Json& space) {
  if (!space.is_object()) return;
  if (space.contains("shape") && space["shape"].is_array() && space["shape"].size() > 1)
    fail(ErrorKind::shape, where,
         "spaces of one dimension are read, got shape " + space["shape"].dump() + " of " +
             space.value("type", std::string("a space")));
  const auto parts = space.contains("subspaces") ? space["subspaces"] : Json();
  for (const auto& part : parts) check_space(where, part);
}

// A box that holds one number has no columns.
void widen(Tensor& values) {
  if (values.dim() == 1 && at::isFloatingType(values.scalar_type())) values = values.unsqueeze(1);
}

void check_episode(const std::string& where, const MinariEpisode& e) {
  if (e.actions.dim() != 2)
    fail(
        ErrorKind::shape, where,
        fmt::format("actions must have shape [T,A], got {}: actions of other kinds than numbers in a box are "
                    "not read",
                    shape_of(e.actions)));
  const int64_t steps = e.actions.size(0);
  if (e.observations.dim() != 2)
    fail(ErrorKind::shape, where,
         fmt::format("observations must have shape [T+1,S], got {}", shape_of(e.observations)));
  if (e.observations.size(0) != steps + 1)
    fail(ErrorKind::shape, where,
         fmt::format("observations must have {} rows, one more than actions, got {}", steps + 1,
                     e.observations.size(0)));
  for (const auto& [name, values] : std::initializer_list<std::pair<const char*, const Tensor&>>{
           {"rewards", e.rewards}, {"terminations", e.terminations}, {"truncations", e.truncations}})
    if (values.dim() != 1 || values.size(0) != steps)
      fail(ErrorKind::shape, where,
           fmt::format("{} must have shape [{}] like actions, got {}", name, steps, shape_of(values)));
  for (const auto& [name, values] : e.infos)
    if (values.dim() < 1 || (values.size(0) != steps && values.size(0) != steps + 1))
      fail(ErrorKind::shape, where,
           fmt::format("infos/{} must have {} or {} rows, got {}", name, steps, steps + 1, shape_of(values)));
}

ControlData together(const std::string& source, std::vector<MinariEpisode>& episodes) {
  std::vector<Tensor> observations, next, actions, rewards, terminals, timeouts;
  std::map<std::string, std::vector<Tensor>> infos;
  for (size_t i = 0; i < episodes.size(); ++i) {
    auto& e = episodes[i];
    widen(e.observations);
    widen(e.actions);
    const auto where = fmt::format("{}: episode_{}", source, i);
    check_episode(where, e);
    const int64_t steps = e.actions.size(0);
    if (steps == 0) fail(ErrorKind::empty, where, "has no step");
    if (e.observations.size(1) != episodes[0].observations.size(1) ||
        e.actions.size(1) != episodes[0].actions.size(1))
      fail(ErrorKind::shape, where,
           fmt::format("observations {} and actions {} must be as wide as those of episode_0, {} and {}",
                       shape_of(e.observations), shape_of(e.actions), shape_of(episodes[0].observations),
                       shape_of(episodes[0].actions)));
    observations.push_back(e.observations.slice(0, 0, steps));
    next.push_back(e.observations.slice(0, 1));
    actions.push_back(e.actions);
    rewards.push_back(e.rewards);
    terminals.push_back(e.terminations);
    timeouts.push_back(e.truncations.ne(0));
    if (!e.terminations[steps - 1].ne(0).item<bool>()) timeouts.back()[steps - 1] = true;
    for (const auto& [name, values] : e.infos) infos[name].push_back(values.slice(0, 0, steps));
  }
  ControlData data{.observations = at::cat(observations),
                   .actions = at::cat(actions),
                   .rewards = at::cat(rewards),
                   .next_observations = at::cat(next),
                   .terminals = at::cat(terminals),
                   .timeouts = at::cat(timeouts)};
  for (const auto& [name, values] : infos) {
    const bool everywhere = values.size() == episodes.size();
    const bool alike = std::all_of(values.begin(), values.end(), [&first = values[0]](const Tensor& t) {
      return t.sizes().slice(1) == first.sizes().slice(1);
    });
    if (everywhere && alike) data.infos[name] = at::cat(values);
  }
  return data;
}

// gymnasium.envs.mujoco.half_cheetah_v5:HalfCheetahEnv
std::string entry_point(const std::string& id) {
  const auto dash = id.rfind("-v");
  const auto name = id.substr(0, dash), version = id.substr(dash + 2);
  if (name == "Pendulum") return "gymnasium.envs.classic_control.pendulum:PendulumEnv";
  std::string module;
  for (const char c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) && !module.empty()) module += '_';
    module += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return fmt::format("gymnasium.envs.mujoco.{}_v{}:{}Env", module, version, name);
}

// Json has no infinities; Minari writes the bare words.
std::string box_space(const std::string& type, const std::string& low, const std::string& high,
                      int64_t size) {
  return fmt::format(R"({{"type": "Box", "dtype": "{}", "shape": [{}], "low": [{}], "high": [{}]}})", type,
                     size, low, high);
}

std::string repeated(const std::string& word, int64_t count) {
  return fmt::format("{}", fmt::join(std::vector<std::string>(static_cast<size_t>(count), word), ", "));
}

Json description_of(const ControlData& data, const MinariDescription& d, int64_t episodes) {
  auto out = Json::parse(data.metadata);
  const auto numbers = [](const std::vector<double>& list) {
    return fmt::format("{}", fmt::join(list, ", "));
  };
  const auto row = [](const Tensor& values) {
    const auto exact = values.to(at::kDouble).contiguous();
    return std::vector<double>(exact.const_data_ptr<double>(),
                               exact.const_data_ptr<double>() + exact.numel());
  };
  out["total_episodes"] = episodes;
  out["total_steps"] = data.size();
  out["data_format"] = d.format;
  out["jpeg_encoding"] = true;
  const int64_t s = data.observations.size(1);
  out["observation_space"] = box_space(d.f32_observations ? "float32" : "float64", repeated("-Infinity", s),
                                       repeated("Infinity", s), s);
  out["action_space"] = box_space(
      "float32", numbers(d.action_low.empty() ? row(std::get<0>(data.actions.min(0))) : d.action_low),
      numbers(d.action_high.empty() ? row(std::get<0>(data.actions.max(0))) : d.action_high),
      data.actions.size(1));
  out.erase("env_spec");
  if (d.environment.rfind("-v") != std::string::npos)
    out["env_spec"] = Json{
        {"id", d.environment},
        {"entry_point", entry_point(d.environment)},
        {"reward_threshold", nullptr},
        {"nondeterministic", false},
        {"max_episode_steps", d.max_steps > 0 ? Json(d.max_steps) : Json(nullptr)},
        {"order_enforce", true},
        {"disable_env_checker", false},
        {"kwargs", Json::object()},
        {"additional_wrappers", Json::array()},
        {"vector_entry_point",
         nullptr}}.dump();
  out["dataset_id"] = d.dataset_id;
  out["minari_version"] = "0.5.4";
  for (const auto& [theirs, ours] :
       {std::pair{"ref_min_score", "random_return"}, {"ref_max_score", "expert_return"}})
    if (out.contains(ours)) out[theirs] = out[ours];
  return out;
}

// With a row behind it, of which nothing is known.
Tensor with_last(const Tensor& values) {
  const auto last = values.slice(0, -1);
  const bool real = at::isFloatingType(values.scalar_type());
  return at::cat({values, real ? at::full_like(last, std::numeric_limits<double>::quiet_NaN()) : last});
}

// Bytes of a folder as Minari counts them, in units of a million.
double size_of(const std::string& folder) {
  double bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat found {};
    if (::stat(entry.path().c_str(), &found) == 0) bytes += static_cast<double>(found.st_size);
  }
  return std::round(bytes / 1e5) / 10;
}

std::vector<MinariEpisode> apart(const ControlData& data, bool f32_observations) {
  std::vector<MinariEpisode> out;
  for (const auto& range : episode_ranges(data)) {
    const int64_t stop = range.start + range.steps;
    const auto part = [&](const Tensor& t) { return t.slice(0, range.start, stop); };
    const auto now = part(data.observations), next = part(data.next_observations);
    const auto differ = now.slice(0, 1).ne(next.slice(0, 0, range.steps - 1));
    if (differ.any().item<bool>())
      fail(ErrorKind::value, "data.write_minari",
           fmt::format("row {}: its next observation is not the observation of row {}, so that the episode "
                       "cannot be written as T+1 observations",
                       range.start + differ.nonzero()[0][0].item<int64_t>(),
                       range.start + differ.nonzero()[0][0].item<int64_t>() + 1));
    MinariEpisode e{
        .observations =
            at::cat({now, next.slice(0, range.steps - 1)}).to(f32_observations ? at::kFloat : at::kDouble),
        .actions = part(data.actions),
        .rewards = part(data.rewards),
        .terminations = part(data.terminals),
        .truncations = part(data.timeouts)};
    for (const auto& [name, values] : data.infos) e.infos[name] = with_last(part(values));
    out.push_back(std::move(e));
  }
  return out;
}

}  // namespace

Tensor side_by_side(const std::vector<Tensor>& parts) {
  if (parts.size() == 1) return parts[0];
  std::vector<Tensor> columns;
  for (const auto& part : parts) columns.push_back(part.dim() == 1 ? part.unsqueeze(1) : part);
  return at::cat(columns, 1);
}

ControlData read_minari(const std::string& path, const ControlReadOptions& options) {
  if (options.next_observations)
    fail(ErrorKind::value, "next_observations", "is of D4RL's files; Minari's always have them: " + path);
  const auto folder = data_folder(path);
  const auto metadata = read_json(folder + "/metadata.json");
  const auto format = metadata.value("data_format", "hdf5");
  for (const auto* space : {"observation_space", "action_space"})
    check_space(folder + "/metadata.json: " + space, space_of(metadata, space));
  const auto count = metadata.value("total_episodes", int64_t{-1});
  std::vector<MinariEpisode> episodes;
  std::string source = folder;
  if (format == "hdf5") {
    source = folder + "/main_data.hdf5";
    episodes = read_minari_hdf5(folder);
  } else if (format == "arrow" || format == "parquet") {
    episodes = read_minari_tables(folder, format, count);
  } else {
    fail(ErrorKind::value, folder + "/metadata.json",
         fmt::format("data_format must be one of hdf5, arrow, parquet, got '{}'", format));
  }
  if (count >= 0 && count != static_cast<int64_t>(episodes.size()))
    fail(ErrorKind::value, source,
         fmt::format("holds {} episodes, metadata.json says {}", episodes.size(), count));
  if (episodes.empty()) fail(ErrorKind::empty, source, "holds no episode");
  auto data = together(source, episodes);
  data.metadata = shared_metadata(metadata).dump();
  if (options.max_episode_steps)
    for (const auto& episode : episodes)
      if (episode.rewards.size(0) > *options.max_episode_steps)
        fail(ErrorKind::value, source,
             fmt::format("has an episode of {} steps, above max_episode_steps {}", episode.rewards.size(0),
                         *options.max_episode_steps));
  return checked_control_data(std::move(data), source);
}

void write_minari(const std::string& folder, const ControlData& data, const MinariDescription& description) {
  static const std::regex id("([-_\\w][-_\\w/]*[-_\\w]+/)?[-_\\w]+-v\\d+");
  if (!std::regex_match(description.dataset_id, id))
    fail(ErrorKind::value, "dataset_id",
         "must be name-v0 or namespace/name-v0 of letters, digits, - and _, the namespace of two at least, "
         "got '" +
             description.dataset_id + "'");
  if (description.format != "hdf5" && description.format != "arrow" && description.format != "parquet")
    fail(ErrorKind::value, "format", "must be one of hdf5, arrow, parquet, got '" + description.format + "'");
  if (!data.next_observations.defined())
    fail(ErrorKind::value, "data.write_minari",
         "the last observation of each episode is needed, and the data have no next_observations");
  const auto target = folder + "/data";
  if (fs::exists(target)) fail(ErrorKind::io, target, "exists already");
  const auto episodes = apart(data, description.f32_observations);
  create_folder(target);
  if (description.format == "hdf5")
    write_minari_hdf5(target, episodes);
  else
    write_minari_tables(target, description.format, episodes);
  auto metadata = description_of(data, description, static_cast<int64_t>(episodes.size()));
  metadata["dataset_size"] = size_of(target);
  write_json(target + "/metadata.json", metadata);
}

}  // namespace plaudit
