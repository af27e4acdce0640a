// The tensors of a transformer: their names, shapes and layouts in Hugging Face folders and GGUF files.
//
// In memory every weight has its full Hugging Face name and these layouts, whatever the file: matrices are
// [out, in] (GPT-2 folders hold [in, out]), q and k rows in rotary halves (GGUF llama files interleave), norm
// weights of Gemma without the 1 that is added in use (GGUF files hold w + 1).
//
// Errors are UserErrors that start with the file: value for a missing or unexpected tensor, shape for one of
// another size; they name the tensor.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "plaudit/core/gguf.h"
#include "plaudit/model/config.h"

namespace plaudit {

using WeightMap = std::map<std::string, at::Tensor>;

enum class WeightRole { embedding, norm, matrix, bias };

struct WeightSpec {
  std::string name;  // Hugging Face
  std::string gguf;
  std::vector<int64_t> sizes;  // as in memory
  WeightRole role = WeightRole::matrix;
  int64_t layer = -1;        // -1: outside the layers
  int64_t rotary_heads = 0;  // > 0: q and k of llama, whose rows GGUF files permute
  bool conv1d = false;       // transposed in a Hugging Face folder
};

// Every tensor that a model of this configuration has, in layer order.
std::vector<WeightSpec> weight_table(const TransformerConfig& config);

// "model.layers.3." or "transformer.h.3."
std::string layer_prefix(const TransformerConfig& config, int64_t layer);

// The weights of a folder's tensors; takes names with and without the usual prefixes ("transformer.",
// "language_model."). Ignores what belongs to other parts: buffers, vision towers, reward and value heads.
WeightMap weights_from_hf(const TransformerConfig& config, const std::map<std::string, at::Tensor>& tensors,
                          at::ScalarType dtype, const std::string& where);

WeightMap weights_from_gguf(const TransformerConfig& config, const GgufFile& file, at::ScalarType dtype);

// The same weights as a folder or a GGUF file stores them.
std::map<std::string, at::Tensor> weights_to_hf(const TransformerConfig& config, const WeightMap& weights);
std::map<std::string, at::Tensor> weights_to_gguf(const TransformerConfig& config, const WeightMap& weights);

}  // namespace plaudit
