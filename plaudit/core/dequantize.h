// The element types of GGUF files: plain floats and ggml's blocks of quantised numbers.
//
// A row of a block type is cut into blocks of `block` elements; each stores `bytes` bytes, little endian.
// Layouts follow ggml-common.h, arithmetic is f32 in the order of gguf-py, so that values are equal bit for
// bit.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace plaudit {

struct GgmlType {
  int id;
  std::string_view name;  // "Q4_K"
  int64_t block;          // elements per block
  int64_t bytes;          // bytes per block
  // Decodes whole blocks to f32; nullptr for a type whose size is known but that plaudit does not read.
  void (*decode)(const uint8_t* in, int64_t blocks, float* out);
};

// The type of that number or name; nullptr when ggml has no such type.
const GgmlType* find_ggml_type(int64_t id);
const GgmlType* find_ggml_type(std::string_view name);

// "F32, F16, Q4_0, ...": the types that can be decoded.
std::string decodable_types();

// The elements that `bytes` hold, in a floating dtype; decoded in parallel. The number of elements must be a
// multiple of type.block, and `type` decodable.
at::Tensor dequantize(const GgmlType& type, const uint8_t* bytes, at::IntArrayRef sizes,
                      at::ScalarType dtype);

// GGUF files of architecture llama store the rows of q and k in the order of interleaved rotary pairs (2j,
// 2j+1); Hugging Face keeps halves (j, j+d/2). Both take [heads*d, in] with d even (a bias as [heads*d, 1])
// and keep the gradient.
at::Tensor unpermute_rope(const at::Tensor& weight, int64_t heads);  // GGUF to Hugging Face
at::Tensor permute_rope(const at::Tensor& weight, int64_t heads);    // Hugging Face to GGUF

}  // namespace plaudit
