// A control policy for programs without plaudit: its weights as plain safetensors and a few lines of Python.
#pragma once

#include <string>

namespace plaudit {

// True for the folder of a control policy: actor.json and actor.safetensors.
bool is_control_policy(const std::string& path);

// Writes <to>/policy.safetensors, the tensors of `from` by layer with the sizes, the task and its bounds of
// action as JSON in the header ("policy"), and <to>/policy.py, which needs numpy and safetensors alone:
// Policy(folder).act(observation) is the action that the engine takes, in the task's own units. UserErrors:
// those of load_actor; io, value for a task that is not known.
void export_control_policy(const std::string& from, const std::string& to);

}  // namespace plaudit
