// A policy of control and the task that it was trained in: the artefact "control policy".
#pragma once

#include <string>

#include "plaudit/train/control_actor.h"

namespace plaudit {

struct TaskPolicy {
  std::string environment;
  ControlActor actor;
};

}  // namespace plaudit
