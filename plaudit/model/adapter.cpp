// Adapters in the folders of peft: adapter_config.json and adapter_model.safetensors.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <set>

#include "plaudit/core/checks.h"
#include "plaudit/core/files.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/model/transformer.h"
#include "plaudit/model/weights.h"

namespace plaudit {
namespace {

const std::string kPrefix = "base_model.model.";

// Settings of peft that change what an adapter computes and that plaudit does not have.
void refuse_unsupported(const Json& json, const std::string& where) {
  const auto off = [&](const char* key) {
    const auto found = json.find(key);
    return found == json.end() || found->is_null() || *found == false || *found == "none" || found->empty();
  };
  if (json.value("peft_type", "LORA") != "LORA")
    fail(ErrorKind::value, where, fmt::format("peft_type must be LORA, got {}", json["peft_type"].dump()));
  for (const char* key : {"use_dora", "bias", "modules_to_save", "rank_pattern", "alpha_pattern", "lora_bias",
                          "layer_replication", "megatron_config", "alora_invocation_tokens"}) {
    if (!off(key))
      fail(ErrorKind::value, where, fmt::format("{} = {} is not supported", key, json[key].dump()));
  }
}

LoraOptions read_options(const Json& json, const std::string& where) {
  if (!json.is_object()) fail(ErrorKind::type, where, "must be a JSON object");
  refuse_unsupported(json, where);
  LoraOptions options;
  const auto number = [&](const char* key, double fallback) {
    const auto found = json.find(key);
    if (found == json.end()) return fallback;
    if (!found->is_number())
      fail(ErrorKind::type, where, fmt::format("{} must be a number, got {}", key, found->dump()));
    return found->get<double>();
  };
  options.rank = static_cast<int64_t>(number("r", 8));
  options.alpha = number("lora_alpha", 8);
  options.dropout = number("lora_dropout", 0);
  options.rslora = json.value("use_rslora", false);
  return options;
}

}  // namespace

void Transformer::save_adapter(const std::string& folder) const {
  if (!has_lora()) fail(ErrorKind::value, folder, "the model has no adapter to save");
  create_folder(folder);
  std::map<std::string, at::Tensor> tensors;
  std::set<std::string> modules;
  for (const auto& [name, layer] : lora_) {
    const auto module = name.substr(0, name.rfind('.'));
    tensors[kPrefix + module + ".lora_A.weight"] = layer.a.detach();
    tensors[kPrefix + module + ".lora_B.weight"] = layer.b.detach();
    // Without the layer's number: "mlp.up_proj" tells all layers' from those of another branch.
    const auto last = module.rfind('.');
    modules.insert(module.substr(module.rfind('.', last - 1) + 1));
  }
  save_safetensors(folder + "/adapter_model.safetensors", tensors);
  write_json(folder + "/adapter_config.json", {{"peft_type", "LORA"},
                                               {"task_type", "CAUSAL_LM"},
                                               {"base_model_name_or_path", source_},
                                               {"r", lora_options_.rank},
                                               {"lora_alpha", lora_options_.alpha},
                                               {"lora_dropout", lora_options_.dropout},
                                               {"use_rslora", lora_options_.rslora},
                                               {"target_modules", modules},
                                               {"fan_in_fan_out", config_.is_gpt2()},
                                               {"bias", "none"},
                                               {"inference_mode", true}});
}

void Transformer::load_adapter(const std::string& folder) {
  if (has_lora()) fail(ErrorKind::value, folder, "the model already has an adapter; merge it first");
  const auto where = folder + "/adapter_model.safetensors";
  const auto json = read_json(folder + "/adapter_config.json");
  auto options = read_options(json, folder + "/adapter_config.json");
  auto tensors = load_safetensors(where).tensors;
  const auto take = [&](const std::string& name, std::vector<int64_t> sizes) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) return at::Tensor();
    if (found->second.sizes() != at::IntArrayRef(sizes))
      fail(ErrorKind::shape, where,
           fmt::format("{} has shape {}, expected [{}]", name, shape_of(found->second),
                       fmt::join(sizes, ", ")));
    const auto tensor = found->second.to(at::kFloat).clone().to(device()).requires_grad_(true);
    tensors.erase(found);
    return tensor;
  };
  std::map<std::string, LoraLayer> lora;
  std::set<std::string> targets;
  for (const auto& spec : weight_table(config_)) {
    if (spec.role != WeightRole::matrix || spec.layer < 0) continue;
    const auto module = spec.name.substr(0, spec.name.rfind('.'));
    const auto a = take(kPrefix + module + ".lora_A.weight", {options.rank, spec.sizes[1]});
    const auto b = take(kPrefix + module + ".lora_B.weight", {spec.sizes[0], options.rank});
    if (a.defined() != b.defined())
      fail(ErrorKind::value, where, fmt::format("{} has one of lora_A and lora_B, expected both", module));
    if (!a.defined()) continue;
    lora[spec.name] = {a, b, lora_scale(options.alpha, options.rank, options.rslora), options.dropout};
    targets.insert(module.substr(module.rfind('.') + 1));
  }
  if (!tensors.empty())
    fail(ErrorKind::value, where,
         fmt::format("{} fits no layer of this {} model", tensors.begin()->first, config_.family));
  if (lora.empty()) fail(ErrorKind::empty, where, "holds no adapter");
  options.targets.assign(targets.begin(), targets.end());
  set_trainable(false);
  lora_ = std::move(lora);
  lora_options_ = options;
}

}  // namespace plaudit
