#include "plaudit/run/policy.h"

#include <filesystem>

#include "plaudit/core/files.h"
#include "plaudit/model/decode_kernels.h"
#include "plaudit/model/resolve.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

const std::vector<std::string> kPrecisions = {"auto", "f32", "bf16", "bf16-autocast"};

bool is_adapter(const std::string& path) {
  return std::filesystem::exists(std::filesystem::path(path) / "adapter_config.json");
}

std::string resolved_precision(const std::string& precision, bool trains_weights, at::Device device) {
  if (precision != "auto") return precision;
  if (device.is_cpu() && !decode::kernels().native_bf16) return "f32";
  return trains_weights ? "bf16-autocast" : "bf16";
}

}  // namespace

template <>
void describe(OptionTable<LoraOptions>& t) {
  t.field("rank", &LoraOptions::rank, "rank of the update", at_least(1));
  t.field("alpha", &LoraOptions::alpha, "the update is multiplied by alpha/rank", greater_than(0));
  t.field("dropout", &LoraOptions::dropout, "share of the adapter's inputs that is dropped",
          from_to_below(0, 1));
  t.field("rslora", &LoraOptions::rslora, "multiply by alpha/sqrt(rank) instead");
  t.field("targets", &LoraOptions::targets, "layers that get an update: ends of module names, or all-linear");
}

template <>
void describe(OptionTable<AdapterOptions>& t) {
  t.field("kind", &AdapterOptions::kind, "lora, or none: all weights are trained", one_of({"lora", "none"}));
  t.include(&AdapterOptions::lora);
}

template <>
void describe(OptionTable<PolicyOptions>& t) {
  t.field("model", &PolicyOptions::model,
          "a known name (plaudit list models), a Hugging Face or adapter folder, a .gguf file");
  t.field("adapter", &PolicyOptions::adapter, "what is trained");
  t.field("precision", &PolicyOptions::precision,
          "f32, bf16 (weights and products), bf16-autocast (products only), auto (bf16 where it is fast)",
          one_of(kPrecisions));
  t.field("chat_family", &PolicyOptions::chat_family,
          "chat template for a model without one: chatml, smollm2, qwen2, llama3, gemma");
  t.field("reference", &PolicyOptions::reference,
          "evaluation: the model to compare with; empty: the policy as the recipe starts with it");
  t.field("gradient_checkpointing", &PolicyOptions::gradient_checkpointing,
          "compute layers twice instead of storing them");
}

template <>
void describe(OptionTable<RewardModelSection>& t) {
  t.field("model", &RewardModelSection::model, "the language model below the head");
  t.field("folder", &RewardModelSection::folder,
          "a trained reward model to go on with, instead of a new one");
  t.field("backbone", &RewardModelSection::backbone,
          "what is trained besides the head: frozen (nothing, its features are computed once), lora, full",
          one_of({"frozen", "lora", "full"}));
  t.field("adapter", &RewardModelSection::adapter, "with backbone lora");
  t.field("precision", &RewardModelSection::precision, "as for the policy", one_of(kPrecisions));
  t.include(&RewardModelSection::head);
}

void check_section(const PolicyOptions& options) {
  check_model_name(options.model);
}

void check_section(const RewardModelSection& options) {
  if (options.folder.empty()) check_model_name(options.model);
}

std::string adapter_base(const std::string& path) {
  if (!is_adapter(path)) return "";
  const auto config = path + "/adapter_config.json";
  const auto json = read_json(config);
  const auto base = json.find("base_model_name_or_path");
  if (base == json.end() || !base->is_string() || base->get_ref<const std::string&>().empty())
    fail(ErrorKind::value, config, "does not name the model that the adapter belongs to");
  return base->get<std::string>();
}

LanguageModel load_language_model(const std::string& path, const std::string& precision, bool trains_weights,
                                  at::Device device) {
  const auto chosen = resolved_precision(precision, trains_weights, device);
  const auto dtype = chosen == "bf16" ? at::kBFloat16 : at::kFloat;
  const auto base = adapter_base(path);
  auto model = LanguageModel::load(base.empty() ? path : base, dtype, device);
  if (!base.empty()) model.transformer->load_adapter(path);
  model.source = path;
  model.transformer->set_precision(chosen == "f32"    ? Precision::f32
                                   : chosen == "bf16" ? Precision::bf16
                                                      : Precision::bf16_autocast);
  return model;
}

Policy make_policy(const PolicyOptions& options, RunContext& context) {
  const bool full = options.adapter.kind == "none";
  auto model = load_language_model(options.model, options.precision, full, context.device());
  if (!options.chat_family.empty()) model.chat_family = options.chat_family;
  auto& transformer = *model.transformer;
  if (full) {
    if (transformer.has_lora()) transformer.merge_lora();
    transformer.set_trainable(true);
  } else if (!transformer.has_lora()) {
    transformer.add_lora(options.adapter.lora, context.rng("policy").next());
  }
  transformer.set_gradient_checkpointing(options.gradient_checkpointing);
  return {std::move(model)};
}

ReferenceModel reference_of(const Policy& policy, RunContext& context) {
  const auto& options = context.section<PolicyOptions>("policy");
  if (!options.reference.empty()) {
    auto model = load_language_model(options.reference, options.precision, false, context.device());
    model.chat_family = policy.model.chat_family;
    return {std::move(model), true};
  }
  if (policy.model.transformer->has_lora() && !is_adapter(options.model)) return {policy.model, false};
  return {make_policy(options, context).model, true};
}

namespace {

void save_policy(const Policy& policy, const std::string& folder) {
  if (policy.model.transformer->has_lora())
    policy.model.transformer->save_adapter(folder);
  else
    policy.model.transformer->save(folder);
}

Policy load_policy(const std::string& folder, RunContext& context) {
  const auto& options = context.section<PolicyOptions>("policy");
  const bool full = options.adapter.kind == "none";
  // The recipe's tokenizer goes with weights of the run's own.
  auto model = load_language_model(is_adapter(folder) ? folder : options.model, options.precision, full,
                                   context.device());
  if (!options.chat_family.empty()) model.chat_family = options.chat_family;
  if (full) {
    const auto precision = model.transformer->precision();
    const auto dtype = model.transformer->head_weight().scalar_type();
    model.transformer = Transformer::load(folder, dtype, context.device());
    model.transformer->set_precision(precision);
    model.transformer->set_trainable(true);
  }
  model.transformer->set_gradient_checkpointing(options.gradient_checkpointing);
  return {std::move(model)};
}

RecipeRewardModel make_reward_model(const RewardModelSection& options, RunContext& context) {
  if (!options.folder.empty()) {
    const auto kind = read_json(options.folder + "/reward.json").value("backbone", "base");
    return {std::make_shared<RewardModel>(RewardModel::load(options.folder, at::kFloat, context.device())),
            kind == "adapter" ? BackboneKind::adapter
            : kind == "full"  ? BackboneKind::full
                              : BackboneKind::base};
  }
  auto model =
      load_language_model(options.model, options.precision, options.backbone == "full", context.device());
  auto& transformer = *model.transformer;
  if (transformer.has_lora()) transformer.merge_lora();
  transformer.set_trainable(options.backbone == "full");
  const auto key = context.rng("reward_model").next();
  if (options.backbone == "lora") transformer.add_lora(options.adapter, key);
  RecipeRewardModel out;
  out.kind = options.backbone == "lora"   ? BackboneKind::adapter
             : options.backbone == "full" ? BackboneKind::full
                                          : BackboneKind::base;
  out.model = std::make_shared<RewardModel>(std::move(model), options.head, key);
  return out;
}

void save_reward_model(const RecipeRewardModel& reward, const std::string& folder) {
  reward.model->save(folder, reward.kind);
}

RecipeRewardModel load_reward_model(const std::string& folder, RunContext& context) {
  RewardModelSection options = context.section<RewardModelSection>("reward_model");
  options.folder = folder;
  return make_reward_model(options, context);
}

PLAUDIT_SECTION(policy, PolicyOptions, Policy, "The model that answers and is trained.", make_policy);
PLAUDIT_SECTION(reward_model, RewardModelSection, RecipeRewardModel, "The model that scores answers.",
                make_reward_model);
PLAUDIT_ARTEFACT(Policy, "policy", &save_policy, &load_policy);
PLAUDIT_ARTEFACT(RecipeRewardModel, "reward model", &save_reward_model, &load_reward_model);

}  // namespace
}  // namespace plaudit
