// The safetensors format: named tensors behind a JSON header (https://github.com/huggingface/safetensors).
//
// Dtypes F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL. Errors are UserErrors that start with the path: io
// when the file cannot be read or written, type for a header that is not the format, shape for sizes and
// offsets that do not fit the file.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace plaudit {

struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;  // "__metadata__"
};

// The name of a dtype in the format, "BF16"; "" where it has none.
std::string safetensors_dtype(at::ScalarType type);

// Tensors that share the memory-mapped file, which stays mapped as long as one of them lives. They may be
// changed in place; the file keeps its bytes.
TensorFile load_safetensors(const std::string& path);

// The tensors of a Hugging Face folder: model.safetensors, or the files that model.safetensors.index.json
// names. The metadata is that of the first file.
TensorFile load_safetensors_folder(const std::string& folder);

// Writes aside, syncs and renames, so that the path never holds half a file. Tensors of any device and
// layout; one at a time is copied to the CPU. The default metadata is what Hugging Face's loaders ask for.
void save_safetensors(const std::string& path, const std::map<std::string, at::Tensor>& tensors,
                      const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace plaudit
