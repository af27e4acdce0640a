#include "plaudit/env/mujoco_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

using Json = nlohmann::ordered_json;

// The value of one option, with the errors that name it.
class Value {
 public:
  Value(std::string_view option, const Json& value) : option_(option), value_(value) {}

  double number() const {
    if (!value_.is_number()) refuse(ErrorKind::type, "a number");
    return value_.get<double>();
  }
  int whole(int least) const {
    if (!value_.is_number_integer()) refuse(ErrorKind::type, "a whole number");
    const auto number = value_.get<int64_t>();
    if (number < least || number > 1'000'000)
      refuse(ErrorKind::value, fmt::format("in [{}, 1000000]", least));
    return static_cast<int>(number);
  }
  double at_least_zero() const {
    if (number() < 0) refuse(ErrorKind::value, ">= 0");
    return number();
  }
  bool flag() const {
    if (!value_.is_boolean()) refuse(ErrorKind::type, "true or false");
    return value_.get<bool>();
  }
  std::string text() const {
    if (!value_.is_string()) refuse(ErrorKind::type, "a text");
    const auto text = value_.get<std::string>();
    if (text.empty() || text.find('\0') != std::string::npos) refuse(ErrorKind::value, "a text without NUL");
    return text;
  }
  bool is_text() const { return value_.is_string(); }
  Range range() const {
    if (!value_.is_array() || value_.size() != 2) refuse(ErrorKind::type, "a pair of numbers");
    const Range range = {bound(value_[0]), bound(value_[1])};
    if (!(range.low < range.high)) refuse(ErrorKind::value, "a lower and an upper bound above it");
    return range;
  }

 private:
  double bound(const Json& number) const {
    if (number == "inf") return kNoLimit;
    if (number == "-inf") return -kNoLimit;
    if (!number.is_number()) refuse(ErrorKind::type, "a pair of numbers");
    return number.get<double>();
  }
  [[noreturn]] void refuse(ErrorKind kind, const std::string& expected) const {
    fail(kind, "env.make", fmt::format("{} must be {}, got {}", option_, expected, value_.dump()));
  }

  std::string_view option_;
  const Json& value_;
};

// Leaves a piece of the observation in or takes it out.
template <Source source>
void include(MujocoTask& task, const Value& value) {
  if (!value.flag()) std::erase_if(task.observation, [](const auto& part) { return part.source == source; });
}

void set_noise(MujocoTask& task, const Value& value) {
  task.position_noise = task.velocity_noise = value.at_least_zero();
}
void set_contact_force(MujocoTask& task, const Value& value) {
  task.contact_force = value.range();
  for (auto& part : task.observation)
    if (part.source == Source::cfrc_ext) part.clip = task.contact_force;
}
void set_main_body(MujocoTask& task, const Value& value) {
  if (value.is_text())
    task.main_body_name = value.text();
  else
    task.main_body = value.whole(0);
}

template <double MujocoTask::*weight>
void set_weight(MujocoTask& task, const Value& value) {
  task.*weight = value.number();
}
template <Range MujocoTask::*range>
void set_range(MujocoTask& task, const Value& value) {
  task.*range = value.range();
}

struct Option {
  std::string_view name;
  std::vector<std::string_view> tasks;  // "Ant": both versions; "Ant-v5": that one
  void (*set)(MujocoTask&, const Value&);
};

const std::vector<Option>& all_options() {
  static const std::vector<std::string_view>
      v5 = {"HalfCheetah-v5", "Hopper-v5",           "Walker2d-v5",
            "Ant-v5",         "Swimmer-v5",          "Reacher-v5",
            "Pusher-v5",      "InvertedPendulum-v5", "InvertedDoublePendulum-v5",
            "Humanoid-v5",    "HumanoidStandup-v5"},
      humanoids = {"Humanoid-v5", "HumanoidStandup-v5"};
  static const std::vector<Option> options = {
      {"xml_file", v5, [](MujocoTask& task, const Value& value) { task.model = value.text(); }},
      {"frame_skip", v5, [](MujocoTask& task, const Value& value) { task.frame_skip = value.whole(1); }},
      {"forward_reward_weight",
       {"HalfCheetah", "Hopper", "Walker2d", "Ant-v5", "Swimmer", "Humanoid"},
       set_weight<&MujocoTask::forward>},
      {"ctrl_cost_weight",
       {"HalfCheetah", "Hopper", "Walker2d", "Ant", "Swimmer", "Humanoid", "HumanoidStandup-v5"},
       set_weight<&MujocoTask::control_cost>},
      {"contact_cost_weight", {"Ant-v5", "Humanoid-v5"}, set_weight<&MujocoTask::contact_cost>},
      {"contact_cost_range", {"Humanoid-v5"}, set_range<&MujocoTask::contact_cost_range>},
      {"impact_cost_weight", {"HumanoidStandup-v5"}, set_weight<&MujocoTask::contact_cost>},
      {"impact_cost_range", {"HumanoidStandup-v5"}, set_range<&MujocoTask::contact_cost_range>},
      {"contact_force_range", {"Ant-v5"}, set_contact_force},
      {"reward_dist_weight", {"Reacher-v5", "Pusher-v5"}, set_weight<&MujocoTask::distance>},
      {"reward_near_weight", {"Pusher-v5"}, set_weight<&MujocoTask::nearness>},
      {"reward_control_weight", {"Reacher-v5", "Pusher-v5"}, set_weight<&MujocoTask::control_cost>},
      {"main_body", {"Ant-v5"}, set_main_body},
      {"healthy_reward",
       {"Hopper", "Walker2d", "Ant", "Humanoid", "InvertedDoublePendulum-v5"},
       set_weight<&MujocoTask::alive>},
      {"terminate_when_unhealthy",
       {"Hopper", "Walker2d", "Ant", "Humanoid"},
       [](MujocoTask& task, const Value& value) { task.ends_unhealthy = value.flag(); }},
      {"healthy_state_range", {"Hopper"}, set_range<&MujocoTask::healthy_state>},
      {"healthy_z_range", {"Hopper", "Walker2d", "Ant", "Humanoid"}, set_range<&MujocoTask::healthy_height>},
      {"healthy_angle_range", {"Hopper", "Walker2d"}, set_range<&MujocoTask::healthy_angle>},
      {"reset_noise_scale",
       {"HalfCheetah", "Hopper", "Walker2d", "Ant", "Swimmer", "Humanoid", "HumanoidStandup-v5",
        "InvertedPendulum-v5", "InvertedDoublePendulum-v5"},
       set_noise},
      {"exclude_current_positions_from_observation",
       {"HalfCheetah", "Hopper", "Walker2d", "Ant", "Swimmer", "Humanoid", "HumanoidStandup-v5"},
       [](MujocoTask& task, const Value& value) {
         if (!value.flag()) task.observation.front().first = 0;
       }},
      {"include_cinert_in_observation", humanoids, include<Source::cinert>},
      {"include_cvel_in_observation", humanoids, include<Source::cvel>},
      {"include_qfrc_actuator_in_observation", humanoids, include<Source::qfrc_actuator>},
      {"include_cfrc_ext_in_observation",
       {"Ant-v5", "Humanoid-v5", "HumanoidStandup-v5"},
       include<Source::cfrc_ext>}};
  return options;
}

bool has(const MujocoTask& task, const Option& option) {
  const auto id = fmt::format("{}-v{}", task.name, task.version);
  return std::ranges::any_of(option.tasks, [&](std::string_view of) { return of == task.name || of == id; });
}

std::vector<std::string> names_of_options(const MujocoTask& task) {
  std::vector<std::string> names;
  for (const auto& option : all_options())
    if (has(task, option)) names.emplace_back(option.name);
  return names;
}

}  // namespace

MujocoTask with_options(MujocoTask task, const Json& options) {
  for (const auto& [name, value] : options.items()) {
    const auto option = std::ranges::find(all_options(), name, &Option::name);
    if (option == all_options().end() || !has(task, *option))
      fail(ErrorKind::value, "env.make",
           fmt::format("{}-v{} has no option '{}'{}", task.name, task.version, name,
                       suggestion(name, names_of_options(task))));
    option->set(task, {option->name, value});
  }
  return task;
}

}  // namespace plaudit
