// Transformers from folders and files.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/model/resolve.h"
#include "plaudit/model/transformer.h"
#include "plaudit/model/weights.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

struct Loaded {
  TransformerConfig config;
  WeightMap weights;
};

Loaded load_folder(const std::string& folder, at::ScalarType dtype) {
  const auto path = folder + "/config.json";
  if (!fs::exists(path))
    fail(ErrorKind::io, folder, "holds no config.json; a model folder has config.json and *.safetensors");
  Loaded out{config_from_json(read_json(path), path), {}};
  // What ends an answer is the business of generation_config.json where there is one.
  const auto generation = folder + "/generation_config.json";
  if (fs::exists(generation)) {
    const auto json = read_json(generation);
    const auto eos = json.find("eos_token_id");
    if (eos != json.end() && eos->is_number_integer()) out.config.eos_ids = {eos->get<int64_t>()};
    if (eos != json.end() && eos->is_array()) out.config.eos_ids = eos->get<std::vector<int64_t>>();
  }
  out.weights = weights_from_hf(out.config, load_safetensors_folder(folder).tensors, dtype, folder);
  return out;
}

// The frequency divisors that converters of Llama-3 store instead of the parameters they follow from.
void read_rope_factors(const GgufFile& file, TransformerConfig& config) {
  if (!file.has("rope_freqs.weight")) return;
  const auto factors = file.tensor("rope_freqs.weight", at::kDouble).contiguous();
  config.rope_scaling.type = "factors";
  config.rope_scaling.factors.assign(factors.const_data_ptr<double>(),
                                     factors.const_data_ptr<double>() + factors.numel());
  check_config(config, file.path());
}

Loaded load_gguf(const std::string& path, at::ScalarType dtype) {
  const auto file = GgufFile::open(path);
  if (!file->has("token_embd.weight")) fail(ErrorKind::value, path, "tensor token_embd.weight is missing");
  bool tied = !file->has("output.weight");
  // GPT-2 files repeat the embedding as output.weight.
  if (!tied && file->sizes("output.weight") == file->sizes("token_embd.weight"))
    tied = at::equal(file->tensor("output.weight", dtype), file->tensor("token_embd.weight", dtype));
  Loaded out{config_from_gguf(file->metadata(), file->sizes("token_embd.weight").at(0), tied, path), {}};
  read_rope_factors(*file, out.config);
  out.weights = weights_from_gguf(out.config, *file, dtype);
  return out;
}

}  // namespace

std::shared_ptr<Transformer> Transformer::load(const std::string& path, at::ScalarType dtype,
                                               at::Device device) {
  if (dtype != at::kFloat && dtype != at::kBFloat16 && dtype != at::kDouble)
    fail(ErrorKind::type, "transformer",
         fmt::format("dtype must be f32, bf16 or f64, got {}", c10::toString(dtype)));
  const auto source = resolve_model(path);
  auto loaded = fs::is_directory(source) ? load_folder(source, dtype) : load_gguf(source, dtype);
  auto model = std::make_shared<Transformer>();
  model->config_ = std::move(loaded.config);
  model->weights_ = std::move(loaded.weights);
  for (auto& [name, weight] : model->weights_) weight = weight.to(device);
  model->precision_ = dtype == at::kBFloat16 ? Precision::bf16 : Precision::f32;
  model->source_ = source;
  return model;
}

}  // namespace plaudit
