#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/data/hdf5.h"
#include "plaudit/data/minari_episode.h"

namespace plaudit {
namespace {

// The number behind the prefix of "episode_12" or "_index_3", -1 for another name.
int64_t number_behind(const std::string& name, const std::string& prefix) {
  if (name.rfind(prefix, 0) != 0 || name.size() == prefix.size()) return -1;
  if (!std::all_of(name.begin() + static_cast<int64_t>(prefix.size()), name.end(),
                   [](unsigned char c) { return std::isdigit(c); }))
    return -1;
  return std::stoll(name.substr(prefix.size()));
}

std::vector<std::string> parts_in_order(const Hdf5Reader& file, const std::string& group) {
  auto names = file.members(group);
  std::stable_sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return number_behind(a, "_index_") < number_behind(b, "_index_");
  });
  return names;
}

// A column, or the columns of a group side by side.
Tensor read_space(const Hdf5Reader& file, const std::string& name) {
  if (!file.has(name)) fail(ErrorKind::value, file.path(), fmt::format("the column '{}' is missing", name));
  if (!file.is_group(name)) return file.read(name);
  std::vector<Tensor> parts;
  for (const auto& part : parts_in_order(file, name)) {
    parts.push_back(read_space(file, name + "/" + part));
    if (parts.back().dim() < 1 || parts.back().dim() > 2 || parts.back().size(0) != parts[0].size(0))
      fail(ErrorKind::shape, file.path(),
           fmt::format("{}/{} must be [T] or [T,s], T as of the other parts, got {}", name, part,
                       shape_of(parts.back())));
  }
  if (parts.empty()) fail(ErrorKind::empty, file.path(), name + " holds no part");
  return side_by_side(parts);
}

void read_info_columns(const Hdf5Reader& file, const std::string& group, const std::string& prefix,
                       std::map<std::string, Tensor>& out) {
  for (const auto& name : file.members(group)) {
    const auto path = group + "/" + name;
    if (file.is_group(path))
      read_info_columns(file, path, prefix + name + "/", out);
    else if (file.element_kind(path) == "number")
      if (auto values = file.read(path); values.dim() > 0) out[prefix + name] = std::move(values);
  }
}

MinariEpisode read_episode(const Hdf5Reader& file, const std::string& name) {
  MinariEpisode e{.observations = read_space(file, name + "/observations"),
                  .actions = read_space(file, name + "/actions"),
                  .rewards = read_space(file, name + "/rewards"),
                  .terminations = read_space(file, name + "/terminations"),
                  .truncations = read_space(file, name + "/truncations")};
  if (file.is_group(name + "/infos")) read_info_columns(file, name + "/infos", "", e.infos);
  const auto steps = file.attributes(name).value("total_steps", e.rewards.size(0));
  if (steps != e.rewards.size(0))
    fail(ErrorKind::shape, file.path(),
         fmt::format("{} has {} rewards, its total_steps says {}", name, e.rewards.size(0), steps));
  return e;
}

}  // namespace

std::vector<MinariEpisode> read_minari_hdf5(const std::string& data) {
  const Hdf5Reader file(data + "/main_data.hdf5");
  std::vector<std::pair<int64_t, std::string>> names;
  for (const auto& name : file.members())
    if (const auto number = number_behind(name, "episode_"); number >= 0) names.emplace_back(number, name);
  std::sort(names.begin(), names.end());
  std::vector<MinariEpisode> out;
  for (const auto& [number, name] : names) out.push_back(read_episode(file, name));
  return out;
}

void write_minari_hdf5(const std::string& data, const std::vector<MinariEpisode>& episodes) {
  Hdf5Writer file(data + "/main_data.hdf5");
  for (size_t i = 0; i < episodes.size(); ++i) {
    const auto& e = episodes[i];
    const auto name = fmt::format("episode_{}", i);
    file.group(name);
    file.attribute(name, "id", static_cast<int64_t>(i));
    file.attribute(name, "total_steps", e.rewards.size(0));
    file.write(name + "/observations", e.observations);
    file.write(name + "/actions", e.actions);
    file.write(name + "/rewards", e.rewards);
    file.write(name + "/terminations", e.terminations);
    file.write(name + "/truncations", e.truncations);
    for (const auto& [info, values] : e.infos) file.write(name + "/infos/" + info, values);
  }
  file.commit();
}

}  // namespace plaudit
