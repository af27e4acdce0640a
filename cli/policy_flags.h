// Flags that commands share which let a model write: which model, and how it is sampled.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/data/records.h"
#include "plaudit/model/generate.h"

namespace plaudit::cli {

struct PolicyFlags {
  std::string model;
  std::string adapter;
  std::string family;
  std::string precision = "auto";
  uint64_t seed = 0;
  SamplingOptions sampling;
};

// Value-augmented sampling of a policy (plan/value_steering.h).
struct SteeringFlags {
  std::string values;  // folder of a value model; "": no steering
  std::vector<double> beta = {5};
  int64_t candidates = 15;
};

// Adds the model argument and the flags to a command; the defaults are those that `flags` holds now.
void add_policy_flags(CLI::App& command, PolicyFlags& flags);

void add_steering_flags(CLI::App& command, SteeringFlags& flags);

// One of the things that a command measures, and the flags that it reads beside those of all.
struct SuiteFlags {
  std::string name;
  std::vector<std::string> flags;
};

std::vector<std::string> names_of(const std::vector<SuiteFlags>& suites);

// For the callback of a command: UserError (value) for a flag that was given and that is neither of the suite
// `name` nor one of `common`.
void refuse_unread(const CLI::App& command, const std::vector<SuiteFlags>& suites, const std::string& name,
                   const std::vector<std::string>& common);

// The model that the flags name, with its adapter; its chat_family is that of the flags.
LanguageModel load_policy(const PolicyFlags& flags);

// Value-augmented sampling as the flags ask for it; null without --value.
std::shared_ptr<const Steering> load_steering(const SteeringFlags& flags, const LanguageModel& model);

// The tokens of a prompt. UserError (value) naming --family for a chat when the model has no chat template.
std::vector<int64_t> prompt_ids(const LanguageModel& model, const Prompt& prompt);

}  // namespace plaudit::cli
