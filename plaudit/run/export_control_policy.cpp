#include "plaudit/run/export_control_policy.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "plaudit/core/files.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/env/environment.h"
#include "plaudit/train/control_actor.h"

namespace plaudit {
namespace {

// f32 throughout, as the engine computes.
const char* const kLoader =
    R"py("""A control policy: Policy().act(observation) is its action. Needs numpy and safetensors.

    task = gymnasium.make(policy.task)
    action = policy.act(observation)
A policy that looks back (kind gru) takes its last action, too: policy.act(observation, previous); none at the start.
"""

import json
import pathlib

import numpy as np
from safetensors import safe_open


class Policy:
    def __init__(self, folder=pathlib.Path(__file__).parent):
        with safe_open(pathlib.Path(folder) / "policy.safetensors", "numpy") as file:
            self.about = json.loads(file.metadata()["policy"])
            self.weights = {name: file.get_tensor(name) for name in file.keys()}
        self.task, self.kind = self.about["environment"], self.about["kind"]
        self.low, self.high = (np.array(self.about[key]) for key in ("action_low", "action_high"))

    def network(self, x, name):
        layers = sum(key.startswith(name + ".") and key.endswith(".weight") for key in self.weights)
        for i in range(layers):
            x = self.weights[f"{name}.{i}.weight"] @ (np.maximum(x, 0) if i else x) + self.weights[f"{name}.{i}.bias"]
        return x

    def unit_actions(self, observation, previous=None, length=1):
        """The actions [length, A] in (-1, 1) of the next steps; `previous` is the last one, in (-1, 1) as well."""
        w, x = self.weights, np.asarray(observation, np.float32)
        if "observation.mean" in w:
            x = (x - w["observation.mean"]) / w["observation.std"]
        law, actions = self.network(x, "encoder"), []
        last = np.zeros(self.about["actions"], np.float32) if previous is None else np.asarray(previous, np.float32)
        sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
        for _ in range(length if self.kind == "gru" else 1):
            if self.kind == "gru":
                i = np.split(w["gru.weight_ih"] @ last + w["gru.bias_ih"], 3)
                h = np.split(w["gru.weight_hh"] @ law + w["gru.bias_hh"], 3)
                reset, keep = sigmoid(i[0] + h[0]), sigmoid(i[1] + h[1])
                law = (1 - keep) * np.tanh(i[2] + reset * h[2]) + keep * law
            mean = self.network(law, "heads") if self.kind == "gru" else law
            last = np.tanh(mean[: self.about["actions"]])
            actions.append(last)
        return np.stack(actions if len(actions) == length else actions * length)

    def act(self, observation, previous=None):
        """The action for one observation, in the task's units, as is `previous`."""
        span = self.high - self.low
        unit = None if previous is None else 2 * (np.asarray(previous, np.float64) - self.low) / span - 1
        action = self.low + (self.unit_actions(observation, unit)[0].astype(np.float64) + 1) / 2 * span
        return np.clip(action, self.low, self.high).astype(np.float32)
)py";

}  // namespace

bool is_control_policy(const std::string& path) {
  return std::filesystem::exists(path + "/actor.json") &&
         std::filesystem::exists(path + "/actor.safetensors");
}

void export_control_policy(const std::string& from, const std::string& to) {
  load_actor(from);  // whatever does not fit is said now
  const auto id = read_json(from + "/policy.json").at("environment").get<std::string>();
  const auto environment = make_environment(id);
  auto about = read_json(from + "/actor.json");
  about["environment"] = id;
  about["action_low"] = environment->spec().action.low;
  about["action_high"] = environment->spec().action.high;
  create_folder(to);
  save_safetensors(to + "/policy.safetensors", load_safetensors(from + "/actor.safetensors").tensors,
                   {{"policy", about.dump()}});
  write_file_atomic(to + "/policy.py", kLoader);
}

}  // namespace plaudit
