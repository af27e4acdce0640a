// The models of a recipe: `policy`, the one that answers, and `reward_model`, the one that scores.
//
//   policy: {model: smollm2-135m, adapter: {kind: lora, rank: 8}}
//   reward_model: {model: smollm2-135m, backbone: frozen}
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "plaudit/core/options.h"
#include "plaudit/model/transformer.h"
#include "plaudit/reward/reward_model.h"
#include "plaudit/run/context.h"

namespace plaudit {

struct AdapterOptions {
  std::string kind = "lora";  // lora, none: all weights are trained
  LoraOptions lora = {};
};
template <>
void describe(OptionTable<LoraOptions>& table);
template <>
void describe(OptionTable<AdapterOptions>& table);

struct PolicyOptions {
  std::string model = "smollm2-135m";  // known name, folder (also of an adapter), .gguf file
  AdapterOptions adapter = {};
  std::string precision = "auto";
  std::string chat_family;  // "": the model's own template
  std::string reference;    // "": the model as the recipe starts with it
  bool gradient_checkpointing = false;
};
template <>
void describe(OptionTable<PolicyOptions>& table);

// UserError (value): a model name that is not known.
void check_section(const PolicyOptions& options);

struct Policy {
  LanguageModel model;
};

struct RewardModelSection {
  std::string model = "smollm2-135m";
  std::string folder;               // "": a new head on `model`
  std::string backbone = "frozen";  // frozen, lora, full
  LoraOptions adapter = {};
  std::string precision = "auto";
  RewardModelOptions head = {};
};
void check_section(const RewardModelSection& options);
template <>
void describe(OptionTable<RewardModelSection>& table);

struct RecipeRewardModel {
  std::shared_ptr<RewardModel> model;
  BackboneKind kind = BackboneKind::base;
};

// A model by name, folder or file; a folder with an adapter loads the model that it belongs to first.
// `precision`: f32, bf16 (weights too), bf16-autocast (f32 weights, bf16 products), or auto: for a model
// whose weights stay as they are bf16, else bf16-autocast, where the device multiplies bf16 natively, and f32
// elsewhere.
LanguageModel load_language_model(const std::string& path, const std::string& precision, bool trains_weights,
                                  at::Device device);

// The policy as the recipe starts with it.
Policy make_policy(const PolicyOptions& options, RunContext& context);

// The model that an adapter folder belongs to; "" when `path` is no such folder.
std::string adapter_base(const std::string& path);

// What the policy is measured against: the section's `reference`, or the model that the recipe started with
// (the same weights without the adapter, where there is one).
struct ReferenceModel {
  LanguageModel model;
  bool use_adapter = true;
};
ReferenceModel reference_of(const Policy& policy, RunContext& context);

}  // namespace plaudit
