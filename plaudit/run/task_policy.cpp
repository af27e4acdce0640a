#include "plaudit/run/task_policy.h"

#include "plaudit/core/files.h"
#include "plaudit/run/artefact.h"

namespace plaudit {
namespace {

void save_task_policy(const TaskPolicy& policy, const std::string& folder) {
  save_actor(policy.actor, folder);
  write_json(folder + "/policy.json", {{"environment", policy.environment}});
}
TaskPolicy load_task_policy(const std::string& folder) {
  return {read_json(folder + "/policy.json").at("environment").get<std::string>(), load_actor(folder)};
}
PLAUDIT_ARTEFACT(TaskPolicy, "control policy", &save_task_policy, &load_task_policy);

}  // namespace
}  // namespace plaudit
