#include "plaudit/run/recipe_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <set>

namespace plaudit {
namespace {

// Turns the list of stages into the plan, binding options and counting rounds.
class Planner {
 public:
  Json read_list(const YAML::Node& list, const Place& place, std::vector<PlannedStage>& out) {
    if (!list || !list.IsSequence() || list.size() == 0)
      refuse(place, list ? list : YAML::Node(), ErrorKind::empty, "must be a list of stages");
    Json resolved = Json::array();
    for (size_t i = 0; i < list.size(); ++i) resolved.push_back(read_entry(list[i], place.index(i), i, out));
    return resolved;
  }

 private:
  Json read_entry(const YAML::Node& entry, const Place& place, size_t index, std::vector<PlannedStage>& out) {
    const auto [kind, name, options] = take_apart(entry, place);
    const auto folder = fmt::format("{:02}-{}", index, name.empty() ? kind : name);
    Json resolved = Json::object();
    if (kind == "repeat") {
      resolved[kind] = read_repeat(options, place.key(kind), folder, out);
    } else {
      PlannedStage stage;
      stage.kind = kind;
      stage.name = name;
      stage.id = folder;
      stage.place = place.key(kind);
      stage.line = entry.Mark().is_null() ? 0 : entry.Mark().line + 1;
      const auto base = name.empty() ? kind : name;
      const auto count = ++counts_[base];
      stage.stream = count == 1 ? base : fmt::format("{}.{}", base, count);
      stage.bound = find_stage(kind)->bind(options, stage.place);
      resolved[kind] = stage.bound.options;
      out.push_back(std::move(stage));
    }
    if (!name.empty()) resolved["name"] = name;
    return resolved;
  }

  Json read_repeat(const YAML::Node& node, const Place& place, const std::string& folder,
                   std::vector<PlannedStage>& out) {
    detail::check_map(node, place, {"times", "stages"});
    if (!node["times"]) refuse(place, node, ErrorKind::value, "needs `times`: how often its stages run");
    const auto times = detail::read_int(node["times"], place.key("times"), at_least(1));
    std::vector<PlannedStage> inner;
    const Json resolved = read_list(node["stages"], place.key("stages"), inner);
    for (int64_t round = 1; round <= times; ++round) {
      for (auto stage : inner) {
        stage.id = fmt::format("{}/{}/{}", folder, round, stage.id);
        stage.stream += fmt::format("@{}", round);
        if (stage.round == 0) stage.round = round;
        out.push_back(std::move(stage));
      }
    }
    return {{"times", times}, {"stages", resolved}};
  }

  struct Parts {
    std::string kind, name;
    YAML::Node options;
  };

  // `kind`, `kind: options`, or `kind: options` with `name: ...` beside it.
  Parts take_apart(const YAML::Node& entry, const Place& place) {
    Parts parts;
    if (entry.IsScalar()) {
      parts.kind = entry.Scalar();
      check_kind(parts.kind, entry, place);
      return parts;
    }
    if (!entry.IsMap())
      refuse(place, entry, ErrorKind::type, "must be a stage, e.g. `train: {objective: dpo}`");
    for (const auto& item : entry) {
      const auto key = item.first.Scalar();
      if (key == "name") {
        parts.name = read_name(item.second, place.key(key));
        continue;
      }
      check_kind(key, item.first, place);
      if (!parts.kind.empty())
        refuse(
            place, item.first, ErrorKind::value,
            fmt::format("holds two stages, '{}' and '{}': each is an element of the list", parts.kind, key));
      parts.kind = key;
      parts.options.reset(item.second);
    }
    if (parts.kind.empty()) refuse(place, entry, ErrorKind::empty, "names no stage");
    return parts;
  }

  void check_kind(const std::string& kind, const YAML::Node& node, const Place& place) const {
    if (kind == "repeat" || find_stage(kind)) return;
    std::vector<std::string> known = {"repeat"};
    for (const auto& stage : stages()) known.push_back(stage.name);
    refuse(place, node, ErrorKind::value, "there is no stage '" + kind + "'" + suggestion(kind, known));
  }

  std::string read_name(const YAML::Node& node, const Place& place) {
    static const std::regex allowed("[A-Za-z0-9][A-Za-z0-9_-]*");
    const auto name = detail::read_text(node, place, {});
    if (!std::regex_match(name, allowed))
      refuse(place, node, ErrorKind::value, "must be letters, digits, '-' and '_', got '" + name + "'");
    if (!names_.insert(name).second) refuse(place, node, ErrorKind::value, "'" + name + "' names two stages");
    return name;
  }

  std::map<std::string, int> counts_;  // of each kind or name, for random streams
  std::set<std::string> names_;
};

// "label or generate" - the stages that can write an artefact.
std::string writers_of(const std::string& artefact) {
  std::string text;
  for (const auto& stage : stages()) {
    const auto writes = stage.writes();
    if (std::find(writes.begin(), writes.end(), artefact) != writes.end())
      text += (text.empty() ? "" : " or ") + stage.name;
  }
  return text;
}

// "dpo.yaml:12: stages[2].train"
std::string place_text(const PlannedStage& stage) {
  const auto line = stage.line ? fmt::format(":{}", stage.line) : std::string();
  return fmt::format("{}{}: {}", stage.place.file, line, stage.place.path);
}

}  // namespace

Json plan_stages(const YAML::Node& list, const Place& place, std::vector<PlannedStage>& out) {
  return Planner().read_list(list, place, out);
}

void check_flow(const std::vector<PlannedStage>& plan, const std::map<std::string, BoundSection>& sections) {
  std::set<std::string> there;
  for (const auto& [name, section] : sections) there.insert(name);
  for (const auto& stage : plan) {
    for (const auto& name : stage.bound.reads) {
      if (name.back() == '?' || there.count(name)) continue;
      const auto writers = writers_of(name);
      const auto hint = find_section(name) ? "; the recipe has no section `" + name + "`"
                        : writers.empty()  ? ""
                                           : "; a stage " + writers + " does";
      fail(ErrorKind::value, place_text(stage),
           fmt::format("reads '{}', which nothing before it makes{}", name, hint));
    }
    for (const auto& name : stage.bound.writes)
      there.insert(name.back() == '?' ? name.substr(0, name.size() - 1) : name);
  }
}

void check_stages(const std::vector<PlannedStage>& plan) {
  std::set<std::string> seen;
  for (const auto& stage : plan) {
    if (!seen.insert(stage.place.path).second) continue;  // another round of it
    try {
      if (stage.round == 0 && !stage.bound.rounds_for.empty())
        fail(ErrorKind::value, stage.bound.rounds_for,
             "counts the rounds of a repeat, and there is none around this stage");
      stage.bound.check();
    } catch (const UserError& error) {
      auto message = message_of(error);  // of a loop, which says "train.tau", or of the stage
      if (message.starts_with(stage.kind + ".")) message.erase(0, stage.kind.size() + 1);
      throw UserError(error.kind(), place_text(stage) + "." + message);
    }
  }
}

}  // namespace plaudit
