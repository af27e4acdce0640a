#include "cli/data_control.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "plaudit/eval/control_scores.h"

namespace plaudit::cli {

bool is_control_file(const std::string& path) {
  if (std::filesystem::is_directory(path)) return true;
  std::array<char, 4> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return std::string_view(start.data(), start.size()) == "\x89HDF";
}

Json control_summary(const ControlData& data) {
  const auto metadata = Json::parse(data.metadata);
  std::array<int64_t, 3> ends{};
  for (const auto& episode : episode_ranges(data)) ++ends[static_cast<size_t>(episode.end)];
  Json out{{"steps", data.size()},
           {"episodes", data.episode_starts.numel()},
           {"observations", data.observations.size(1)},
           {"actions", data.actions.size(1)},
           {"next_observations", data.next_observations.defined()},
           {"terminal", ends[0]},
           {"timeout", ends[1]},
           {"cut", ends[2]}};
  if (ends[0] + ends[1] > 0) {
    const auto returns = episode_returns(data);
    out["return"] = {{"mean", returns.mean().item<double>()},
                     {"least", returns.min().item<double>()},
                     {"most", returns.max().item<double>()}};
    const auto score = [&](double random, double expert) {
      return normalized_score(returns, random, expert).mean().item<double>();
    };
    if (metadata.contains("random_return") && metadata.contains("expert_return"))
      out["score"] = score(metadata["random_return"].get<double>(), metadata["expert_return"].get<double>());
    if (const auto d4rl = d4rl_references(metadata.value("environment", std::string())))
      out["d4rl_score"] = score(d4rl->random_return, d4rl->expert_return);
  }
  out["infos"] = Json::array();
  for (const auto& [name, values] : data.infos) out["infos"].push_back(name);
  out["metadata"] = metadata;
  return out;
}

void print_control(const std::string& path, const Json& found) {
  fmt::print("{}: {} steps in {} episodes, observations of {} and actions of {} numbers\n", path,
             found["steps"].get<int64_t>(), found["episodes"].get<int64_t>(),
             found["observations"].get<int64_t>(), found["actions"].get<int64_t>());
  fmt::print("  episodes end {} times by the process, {} times by a time-out, {} times with the data\n",
             found["terminal"].get<int64_t>(), found["timeout"].get<int64_t>(), found["cut"].get<int64_t>());
  fmt::print("  next observations: {}\n",
             found["next_observations"].get<bool>() ? "known" : "of the row that follows");
  if (found.contains("return"))
    fmt::print("  return: mean {:.1f}, from {:.1f} to {:.1f}\n", found["return"]["mean"].get<double>(),
               found["return"]["least"].get<double>(), found["return"]["most"].get<double>());
  for (const auto* name : {"score", "d4rl_score"})
    if (found.contains(name)) fmt::print("  {}: {:.1f}\n", name, found[name].get<double>());
  if (!found["infos"].empty()) fmt::print("  infos: {}\n", found["infos"].dump());
}

}  // namespace plaudit::cli
