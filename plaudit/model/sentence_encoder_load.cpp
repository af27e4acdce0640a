// Sentence encoders from the folders of sentence-transformers.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>

#include "plaudit/core/checks.h"
#include "plaudit/core/files.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/data/json_view.h"
#include "plaudit/model/resolve.h"
#include "plaudit/model/sentence_encoder.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

int64_t positive(const JsonView& config, const std::string& key) {
  const auto value = config.at(key).integer();
  if (value <= 0) config.at(key).refuse(ErrorKind::value, fmt::format("must be > 0, got {}", value));
  return value;
}

SentenceEncoderConfig read_config(const JsonView& json) {
  const auto& type = json.at("model_type").text();
  if (type != "bert")
    json.at("model_type").refuse(ErrorKind::value, "must be bert for a sentence encoder, got '" + type + "'");
  if (json.text_or("position_embedding_type", "absolute") != "absolute")
    json.at("position_embedding_type").refuse(ErrorKind::value, "must be absolute");
  SentenceEncoderConfig out;
  out.vocab = positive(json, "vocab_size");
  out.hidden = positive(json, "hidden_size");
  out.layers = positive(json, "num_hidden_layers");
  out.heads = positive(json, "num_attention_heads");
  out.ffn = positive(json, "intermediate_size");
  out.context = positive(json, "max_position_embeddings");
  if (out.hidden % out.heads != 0)
    json.at("num_attention_heads")
        .refuse(ErrorKind::value, fmt::format("must divide hidden_size {}, got {}", out.hidden, out.heads));
  if (const auto eps = json.find("layer_norm_eps")) {
    if (!eps->json().is_number()) eps->refuse(ErrorKind::type, "must be a number");
    out.norm_eps = eps->json().get<double>();
  }
  out.activation = activation_from(json.text_or("hidden_act", "gelu"), json.where());
  return out;
}

// What sentence-transformers does with the last layer: modules.json, and the settings of its pooling.
void read_modules(const std::string& folder, SentenceEncoderConfig& config) {
  const auto path = fs::path(folder) / "modules.json";
  if (!fs::exists(path)) return;
  const auto file = JsonFile::read(path.string());
  config.normalize = false;
  for (const auto& module : file.view().list()) {
    const auto& type = module.at("type").text();
    const auto name = type.substr(type.rfind('.') + 1);
    if (name == "Normalize") {
      config.normalize = true;
    } else if (name == "Pooling") {
      const auto settings =
          JsonFile::read((fs::path(folder) / module.at("path").text() / "config.json").string());
      if (!settings.view().flag_or("pooling_mode_mean_tokens", false))
        settings.view().refuse(ErrorKind::value, "pooling_mode_mean_tokens must be true");
    } else if (name != "Transformer") {
      module.at("type").refuse(
          ErrorKind::value,
          "'" + name + "' is not supported" + suggestion(name, {"Transformer", "Pooling", "Normalize"}));
    }
  }
}

struct Spec {
  std::string name;
  std::vector<int64_t> sizes;
};

std::vector<Spec> weight_table(const SentenceEncoderConfig& c) {
  std::vector<Spec> out = {{"embeddings.word_embeddings.weight", {c.vocab, c.hidden}},
                           {"embeddings.position_embeddings.weight", {c.context, c.hidden}},
                           {"embeddings.token_type_embeddings.weight", {-1, c.hidden}}};
  const auto norm = [&](const std::string& name) {
    out.push_back({name + ".weight", {c.hidden}});
    out.push_back({name + ".bias", {c.hidden}});
  };
  const auto linear = [&](const std::string& name, int64_t from, int64_t to) {
    out.push_back({name + ".weight", {to, from}});
    out.push_back({name + ".bias", {to}});
  };
  norm("embeddings.LayerNorm");
  for (int64_t i = 0; i < c.layers; ++i) {
    const auto prefix = fmt::format("encoder.layer.{}.", i);
    for (const char* name : {"query", "key", "value"})
      linear(prefix + "attention.self." + name, c.hidden, c.hidden);
    linear(prefix + "attention.output.dense", c.hidden, c.hidden);
    norm(prefix + "attention.output.LayerNorm");
    linear(prefix + "intermediate.dense", c.hidden, c.ffn);
    linear(prefix + "output.dense", c.ffn, c.hidden);
    norm(prefix + "output.LayerNorm");
  }
  return out;
}

// Old files say gamma and beta for the weight and the bias of a LayerNorm.
std::string old_name(const std::string& name) {
  const auto at = name.find("LayerNorm.");
  if (at == std::string::npos) return name;
  return name.substr(0, at + 10) + (name.ends_with("weight") ? "gamma" : "beta");
}

at::Tensor find_weight(const std::map<std::string, at::Tensor>& tensors, const Spec& spec,
                       const std::string& folder) {
  for (const auto& name : {spec.name, old_name(spec.name)}) {
    for (const std::string prefix : {"", "bert."}) {
      const auto found = tensors.find(prefix + name);
      if (found == tensors.end()) continue;
      Check(folder).shape(found->first, found->second, spec.sizes);
      return found->second;
    }
  }
  fail(ErrorKind::value, folder, "tensor " + spec.name + " is missing");
}

}  // namespace

std::shared_ptr<SentenceEncoder> SentenceEncoder::load(const std::string& path, at::Device device) {
  const auto folder = resolve_model(path);
  if (!fs::is_directory(folder))
    fail(ErrorKind::io, folder, "is not a folder; a sentence encoder has config.json and *.safetensors");
  const auto json = JsonFile::read((fs::path(folder) / "config.json").string());
  const auto out = std::make_shared<SentenceEncoder>();
  out->config_ = read_config(json.view());
  read_modules(folder, out->config_);
  out->tokenizer_ = Tokenizer::load(folder);
  if (out->tokenizer_->vocab_size() > out->config_.vocab)
    fail(ErrorKind::value, folder,
         fmt::format("the tokenizer has {} tokens, but the model embeds only {}",
                     out->tokenizer_->vocab_size(), out->config_.vocab));
  const auto file = load_safetensors_folder(folder);
  for (const auto& spec : weight_table(out->config_))
    out->weights_[spec.name] = find_weight(file.tensors, spec, folder).to(device, at::kFloat);
  return out;
}

}  // namespace plaudit
