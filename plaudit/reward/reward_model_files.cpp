// The folder of a reward model: reward.json, reward_head.safetensors and what training changed of the
// backbone.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>

#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/hash.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/model/config.h"
#include "plaudit/model/fingerprint.h"
#include "plaudit/model/resolve.h"
#include "plaudit/reward/reward_model.h"

namespace plaudit {
namespace {

constexpr const char* reward_model_format = "plaudit reward model 1";

std::string join(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

const char* kind_name(BackboneKind kind) {
  switch (kind) {
    case BackboneKind::base:
      return "base";
    case BackboneKind::adapter:
      return "adapter";
    case BackboneKind::full:
      return "full";
  }
  bug("reward_model", "a kind of backbone without a name");
}

// A relative path still leads there when the program is started elsewhere.
std::string absolute_source(const std::string& source) {
  return std::filesystem::exists(source) ? std::filesystem::absolute(source).string() : source;
}

template <class T>
T get(const Json& json, const std::string& path, const char* key) {
  try {
    return json.at(key).get<T>();
  } catch (const Json::exception&) {
    fail(ErrorKind::type, path, fmt::format("has no usable field '{}'", key));
  }
}

void check_fingerprint(const std::string& path, const char* what, const std::string& saved, uint64_t now,
                       const std::string& source) {
  if (saved != hex64(now))
    fail(ErrorKind::value, path,
         fmt::format("was trained with another {} than {} now holds (fingerprint {}, found {})", what, source,
                     saved, hex64(now)));
}

// The tokenizer always comes from the source; a backbone that was trained whole stands in the folder itself.
LanguageModel load_backbone(const std::string& folder, const std::string& kind, const std::string& source,
                            const std::string& path, at::ScalarType dtype, at::Device device) {
  if (kind == "full")
    return {Transformer::load(join(folder, "backbone"), dtype, device),
            Tokenizer::load(resolve_model(source)), "", source};
  if (kind != "base" && kind != "adapter")
    fail(ErrorKind::value, path, "backbone must be one of base, adapter, full, got '" + kind + "'");
  auto backbone = LanguageModel::load(source, dtype, device);
  if (kind == "adapter") backbone.transformer->load_adapter(join(folder, "adapter"));
  return backbone;
}

}  // namespace

void RewardModel::save(const std::string& folder, BackboneKind kind) const {
  create_folder(folder);
  const auto& model = *backbone_.transformer;
  if (kind == BackboneKind::adapter) model.save_adapter(join(folder, "adapter"));
  if (kind == BackboneKind::full) model.save(join(folder, "backbone"));
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : head()) tensors[name] = tensor.detach();
  save_safetensors(join(folder, "reward_head.safetensors"), tensors);
  Json info = {{"format", reward_model_format},
               {"backbone", kind_name(kind)},
               {"source", absolute_source(backbone_.source)},
               {"chat_family", backbone_.chat_family},
               {"tokenizer", hex64(backbone_.tokenizer->fingerprint())},
               {"options", option_table<RewardModelOptions>().write(options_)},
               {"mean", mean_},
               {"std", std_}};
  if (kind == BackboneKind::base) info["model"] = hex64(backbone_fingerprint(model));
  write_json(join(folder, "reward.json"), info);
}

RewardModel RewardModel::load(const std::string& folder, at::ScalarType dtype, at::Device device) {
  const auto path = join(folder, "reward.json");
  const auto info = read_json(path);
  if (!info.is_object() || info.value("format", "") != reward_model_format)
    fail(ErrorKind::type, path, fmt::format("is not a '{}' file", reward_model_format));
  const auto kind = get<std::string>(info, path, "backbone"), source = get<std::string>(info, path, "source");
  auto backbone = load_backbone(folder, kind, source, path, dtype, device);
  backbone.chat_family = get<std::string>(info, path, "chat_family");
  check_fingerprint(path, "tokenizer", get<std::string>(info, path, "tokenizer"),
                    backbone.tokenizer->fingerprint(), source);
  if (kind == "base")
    check_fingerprint(path, "model", get<std::string>(info, path, "model"),
                      backbone_fingerprint(*backbone.transformer), source);

  RewardModelOptions options;
  const auto text = get<Json>(info, path, "options").dump();
  option_table<RewardModelOptions>().read(YAML::Load(text), {path, "options"}, options);
  RewardModel model(std::move(backbone), options, /*seed=*/0);
  const auto head_path = join(folder, "reward_head.safetensors");
  const auto file = load_safetensors(head_path);
  for (const auto& [name, tensor] : model.head()) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) fail(ErrorKind::value, head_path, "holds no tensor " + name);
    if (found->second.sizes() != tensor.sizes())
      fail(ErrorKind::shape, head_path,
           fmt::format("{} is {}, expected {}", name, shape_of(found->second), shape_of(tensor)));
    tensor.detach().copy_(found->second);
  }
  model.set_scale(get<double>(info, path, "mean"), get<double>(info, path, "std"));
  return model;
}

}  // namespace plaudit
