#include "plaudit/env/environment.h"

#include <map>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/env/mujoco_environment.h"
#include "plaudit/env/mujoco_options.h"
#include "plaudit/env/small_tasks.h"

namespace plaudit {

namespace {

// Tasks without options.
const std::map<std::string, std::unique_ptr<Environment> (*)()>& small_tasks() {
  static const std::map<std::string, std::unique_ptr<Environment> (*)()> tasks = {
      {"Pendulum-v1", make_pendulum}, {"point", make_point}};
  return tasks;
}

}  // namespace

std::vector<std::string> environment_ids() {
  auto ids = mujoco_task_ids();
  for (const auto& [id, make] : small_tasks()) ids.push_back(id);
  return ids;
}

int64_t time_limit(const std::string& id) {
  const auto* task = find_mujoco_task(id);
  return task != nullptr ? task->max_steps : make_environment(id)->spec().max_steps;
}

std::unique_ptr<Environment> make_environment(const std::string& id) {
  return make_environment(id, nlohmann::ordered_json::object());
}

std::unique_ptr<Environment> make_environment(const std::string& id, const nlohmann::ordered_json& options) {
  if (const auto* own = find_mujoco_task(id)) {
    const auto task = with_options(*own, options);
    return make_mujoco_environment(task, mujoco_task_model(task));
  }
  if (const auto small = small_tasks().find(id); small != small_tasks().end()) {
    if (!options.empty())
      fail(ErrorKind::value, "env.make", id + " has no option '" + options.begin().key() + "'; it has none");
    return small->second();
  }
  if (id == "Pusher-v4")
    fail(ErrorKind::value, "env.make",
         "Pusher-v4 refuses MuJoCo 3 and later, as in Gymnasium; take Pusher-v5");
  fail(ErrorKind::value, "env.make", "'" + id + "' is not known" + suggestion(id, environment_ids()));
}

}  // namespace plaudit
