#include "plaudit/reward/value_model.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/hash.h"
#include "plaudit/core/rng.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/model/fingerprint.h"

namespace plaudit {
namespace {

constexpr const char* value_model_format = "plaudit value model 1";

at::Tensor scaled(const at::Tensor& x) {
  const auto real = x.to(at::kFloat);
  return real * (real.square().mean(-1, true) + 1e-6).rsqrt();
}

}  // namespace

ValueModel::ValueModel(const LanguageModel& policy, std::vector<std::string> objectives, int64_t width,
                       uint64_t seed)
    : objectives_(std::move(objectives)),
      mean_(objectives_.size(), 0.0),
      std_(objectives_.size(), 1.0),
      policy_(hex64(policy_fingerprint(*policy.transformer))),
      source_(policy.source) {
  const auto hidden = policy.transformer->config().hidden, count = static_cast<int64_t>(objectives_.size());
  Rng rng(seed, "value");
  const auto drawn = [&] {
    return (rng.normal_tensor({width, hidden}).to(at::kFloat) / std::sqrt(static_cast<double>(hidden)))
        .set_requires_grad(true);
  };
  state_ = drawn();
  token_ = drawn();
  const auto zeros = [](at::IntArrayRef sizes) { return at::zeros(sizes).set_requires_grad(true); };
  bias_ = zeros({width});
  out_ = zeros({count, width});
  out_bias_ = zeros({count});
}

std::vector<Parameter> ValueModel::parameters() const {
  return {{"value.state", state_},
          {"value.token", token_},
          {"value.bias", bias_},
          {"value.out", out_},
          {"value.out_bias", out_bias_}};
}

at::Tensor ValueModel::of_states(const at::Tensor& hidden) const {
  return at::linear(scaled(hidden), state_);
}

at::Tensor ValueModel::of_tokens(const at::Tensor& embeddings) const {
  return at::linear(scaled(embeddings), token_, bias_);
}

at::Tensor ValueModel::standard_values(const at::Tensor& sums) const {
  return at::linear(at::relu(sums), out_, out_bias_);
}

void ValueModel::set_scale(std::vector<double> mean, std::vector<double> std) {
  mean_ = std::move(mean);
  std_ = std::move(std);
}

void ValueModel::save(const std::string& folder) const {
  create_folder(folder);
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : parameters()) tensors[name] = tensor.detach();
  save_safetensors(folder + "/value.safetensors", tensors);
  write_json(folder + "/value.json", {{"format", value_model_format},
                                      {"objectives", objectives_},
                                      {"mean", mean_},
                                      {"std", std_},
                                      {"positions", positions_},
                                      {"policy", policy_},
                                      {"source", source_}});
}

ValueModel ValueModel::load(const std::string& folder) {
  const auto path = folder + "/value.json", tensors_path = folder + "/value.safetensors";
  const auto info = read_json(path);
  if (!info.is_object() || info.value("format", "") != value_model_format)
    fail(ErrorKind::type, path, fmt::format("is not a '{}' file", value_model_format));
  ValueModel out;
  try {
    out.objectives_ = info.at("objectives").get<std::vector<std::string>>();
    out.mean_ = info.at("mean").get<std::vector<double>>();
    out.std_ = info.at("std").get<std::vector<double>>();
    out.policy_ = info.at("policy").get<std::string>();
    out.source_ = info.at("source").get<std::string>();
    out.positions_ = info.value("positions", "all");
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::type, path, fmt::format("is damaged: {}", error.what()));
  }
  const auto file = load_safetensors(tensors_path);
  const auto tensor = [&](const std::string& name) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) fail(ErrorKind::value, tensors_path, "holds no tensor " + name);
    return found->second.clone().set_requires_grad(true);
  };
  out.state_ = tensor("value.state");
  out.token_ = tensor("value.token");
  out.bias_ = tensor("value.bias");
  out.out_ = tensor("value.out");
  out.out_bias_ = tensor("value.out_bias");
  return out;
}

void ValueModel::check_policy(const LanguageModel& policy) const {
  if (policy_ != hex64(policy_fingerprint(*policy.transformer)))
    fail(ErrorKind::value, "value model",
         fmt::format("was learnt on {}, not on {}{}: its values are of other states", source_, policy.source,
                     policy.transformer->has_lora() ? " with this adapter" : ""));
}

}  // namespace plaudit
