#include "plaudit/core/dequantize.h"

#include <ATen/ATen.h>

#include <bit>
#include <cstring>
#include <vector>

#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/parallel.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF blocks are read in place");

uint16_t load16(const uint8_t* p) {
  uint16_t bits;
  std::memcpy(&bits, p, sizeof bits);
  return bits;
}

float load_half(const uint8_t* p) {
  return static_cast<float>(c10::Half(load16(p), c10::Half::from_bits()));
}

void decode_f32(const uint8_t* in, int64_t blocks, float* out) {
  std::memcpy(out, in, static_cast<size_t>(blocks) * sizeof(float));
}

void decode_f16(const uint8_t* in, int64_t blocks, float* out) {
  for (int64_t i = 0; i < blocks; ++i) out[i] = load_half(in + 2 * i);
}

void decode_bf16(const uint8_t* in, int64_t blocks, float* out) {
  for (int64_t i = 0; i < blocks; ++i) out[i] = std::bit_cast<float>(uint32_t{load16(in + 2 * i)} << 16);
}

void decode_q8_0(const uint8_t* in, int64_t blocks, float* out) {
  for (; blocks > 0; --blocks, in += 34, out += 32) {
    const float d = load_half(in);
    for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(static_cast<int8_t>(in[2 + j]));
  }
}

// Q4_0, Q4_1, Q5_0 and Q5_1: byte j holds the low bits of elements j and j+16; a Q5 block has their fifth
// bits in one word before. With an offset m the value is d q + m, without it the codes are centred.
template <bool fifth_bit, bool offset>
void decode_nibbles(const uint8_t* in, int64_t blocks, float* out) {
  constexpr int head = offset ? 4 : 2;
  constexpr int low_bits = fifth_bit ? head + 4 : head;
  constexpr int centre = offset ? 0 : (fifth_bit ? 16 : 8);
  for (; blocks > 0; --blocks, in += low_bits + 16, out += 32) {
    const float d = load_half(in);
    const float m = offset ? load_half(in + 2) : 0;
    uint32_t high = 0;
    if constexpr (fifth_bit) std::memcpy(&high, in + head, sizeof high);
    for (int j = 0; j < 16; ++j) {
      const uint8_t byte = in[low_bits + j];
      const int first = (byte & 15) | static_cast<int>((high >> j & 1) << 4);
      const int second = (byte >> 4) | static_cast<int>((high >> (j + 16) & 1) << 4);
      out[j] = d * static_cast<float>(first - centre);
      out[j + 16] = d * static_cast<float>(second - centre);
      if constexpr (offset) {
        out[j] += m;
        out[j + 16] += m;
      }
    }
  }
}

// The 6-bit scale and minimum of group j of a Q4_K or Q5_K block, packed into 12 bytes.
void group_scale(const uint8_t* s, int j, int& scale, int& minimum) {
  if (j < 4) {
    scale = s[j] & 63;
    minimum = s[j + 4] & 63;
  } else {
    scale = (s[j + 4] & 15) | ((s[j - 4] >> 6) << 4);
    minimum = (s[j + 4] >> 4) | ((s[j] >> 6) << 4);
  }
}

// Q4_K and Q5_K: d, dmin, 12 scale bytes, (32 bytes of fifth bits,) 128 bytes of nibbles; 8 groups of 32.
template <bool fifth_bit>
void decode_k45(const uint8_t* in, int64_t blocks, float* out) {
  constexpr int nibbles = fifth_bit ? 48 : 16;
  for (; blocks > 0; --blocks, in += nibbles + 128, out += 256) {
    const float d = load_half(in);
    const float d_minimum = load_half(in + 2);
    for (int group = 0; group < 8; ++group) {
      int scale = 0, minimum = 0;
      group_scale(in + 4, group, scale, minimum);
      const float step = d * static_cast<float>(scale);
      const float low = d_minimum * static_cast<float>(minimum);
      const uint8_t* bytes = in + nibbles + 32 * (group / 2);
      const int shift = 4 * (group % 2);
      for (int l = 0; l < 32; ++l) {
        int q = (bytes[l] >> shift) & 15;
        if constexpr (fifth_bit) q |= ((in[16 + l] >> group) & 1) << 4;
        out[32 * group + l] = step * static_cast<float>(q) - low;
      }
    }
  }
}

// Q6_K: ql[128], qh[64], i8 scales[16], d; 8 runs of 32, each with two scales.
void decode_q6_k(const uint8_t* in, int64_t blocks, float* out) {
  for (; blocks > 0; --blocks, in += 210, out += 256) {
    const float d = load_half(in + 208);
    for (int run = 0; run < 8; ++run) {
      const int half = run / 4, quarter = run % 4;
      const uint8_t* low = in + 64 * half + 32 * (quarter % 2);
      const uint8_t* high = in + 128 + 32 * half;
      const int low_shift = 4 * (quarter / 2), high_shift = 2 * quarter;
      float steps[2];
      for (int i = 0; i < 2; ++i)
        steps[i] = d * static_cast<float>(static_cast<int8_t>(in[192 + 2 * run + i]));
      for (int l = 0; l < 32; ++l) {
        const int q = ((low[l] >> low_shift) & 15) | (((high[l] >> high_shift) & 3) << 4);
        out[32 * run + l] = steps[l / 16] * static_cast<float>(q - 32);
      }
    }
  }
}

constexpr GgmlType kTypes[] = {
    {0, "F32", 1, 4, decode_f32},
    {1, "F16", 1, 2, decode_f16},
    {2, "Q4_0", 32, 18, decode_nibbles<false, false>},
    {3, "Q4_1", 32, 20, decode_nibbles<false, true>},
    {6, "Q5_0", 32, 22, decode_nibbles<true, false>},
    {7, "Q5_1", 32, 24, decode_nibbles<true, true>},
    {8, "Q8_0", 32, 34, decode_q8_0},
    {9, "Q8_1", 32, 40, nullptr},
    {10, "Q2_K", 256, 84, nullptr},
    {11, "Q3_K", 256, 110, nullptr},
    {12, "Q4_K", 256, 144, decode_k45<false>},
    {13, "Q5_K", 256, 176, decode_k45<true>},
    {14, "Q6_K", 256, 210, decode_q6_k},
    {15, "Q8_K", 256, 292, nullptr},
    {16, "IQ2_XXS", 256, 66, nullptr},
    {17, "IQ2_XS", 256, 74, nullptr},
    {18, "IQ3_XXS", 256, 98, nullptr},
    {19, "IQ1_S", 256, 50, nullptr},
    {20, "IQ4_NL", 32, 18, nullptr},
    {21, "IQ3_S", 256, 110, nullptr},
    {22, "IQ2_S", 256, 82, nullptr},
    {23, "IQ4_XS", 256, 136, nullptr},
    {24, "I8", 1, 1, nullptr},
    {25, "I16", 1, 2, nullptr},
    {26, "I32", 1, 4, nullptr},
    {27, "I64", 1, 8, nullptr},
    {28, "F64", 1, 8, nullptr},
    {29, "IQ1_M", 256, 56, nullptr},
    {30, "BF16", 1, 2, decode_bf16},
    {34, "TQ1_0", 256, 54, nullptr},
    {35, "TQ2_0", 256, 66, nullptr},
    {39, "MXFP4", 32, 17, nullptr},
};

// [heads*d, in] with the axes (pair member, pair) of each head swapped.
at::Tensor swap_pairs(std::string_view where, const at::Tensor& weight, int64_t heads, bool interleaved) {
  const Check check(where);
  check.not_empty("weight", weight);
  check.dim("weight", weight, 2);
  check.that(heads >= 1, "heads", ">= 1", heads);
  const int64_t rows = weight.size(0);
  if (rows % heads != 0 || (rows / heads) % 2 != 0)
    check.refuse(
        ErrorKind::shape, "weight",
        fmt::format("must have a multiple of 2 x heads rows, got {} with heads {}", shape_of(weight), heads));
  const int64_t pairs = rows / heads / 2;
  const auto split =
      interleaved ? weight.reshape({heads, pairs, 2, -1}) : weight.reshape({heads, 2, pairs, -1});
  return split.transpose(1, 2).reshape(weight.sizes());
}

}  // namespace

const GgmlType* find_ggml_type(int64_t id) {
  for (const auto& type : kTypes)
    if (type.id == id) return &type;
  return nullptr;
}

const GgmlType* find_ggml_type(std::string_view name) {
  for (const auto& type : kTypes)
    if (type.name == name) return &type;
  return nullptr;
}

std::string decodable_types() {
  std::string list;
  for (const auto& type : kTypes)
    if (type.decode) list += (list.empty() ? "" : ", ") + std::string(type.name);
  return list;
}

at::Tensor dequantize(const GgmlType& type, const uint8_t* bytes, at::IntArrayRef sizes,
                      at::ScalarType dtype) {
  auto out = at::empty(sizes, dtype);
  const int64_t blocks = out.numel() / type.block;
  if (!type.decode || out.numel() % type.block != 0)
    bug("dequantize", "type or size not checked by the caller");
  const int64_t grain = 16384 / type.block;  // a chunk of 64 KB in f32 stays in the cache
  if (dtype == at::kFloat) {
    auto* values = out.mutable_data_ptr<float>();
    parallel_for(0, blocks, grain, [&](int64_t begin, int64_t end) {
      type.decode(bytes + begin * type.bytes, end - begin, values + begin * type.block);
    });
    return out;
  }
  const auto flat = out.view(-1);
  parallel_for(0, blocks, grain, [&](int64_t begin, int64_t end) {
    const auto buffer = at::empty(grain * type.block, at::kFloat);
    for (; begin < end; begin += grain) {
      const int64_t count = std::min(grain, end - begin);
      type.decode(bytes + begin * type.bytes, count, buffer.mutable_data_ptr<float>());
      flat.narrow(0, begin * type.block, count * type.block).copy_(buffer.narrow(0, 0, count * type.block));
    }
  });
  return out;
}

at::Tensor unpermute_rope(const at::Tensor& weight, int64_t heads) {
  return swap_pairs("decode.unpermute_rope", weight, heads, true);
}

at::Tensor permute_rope(const at::Tensor& weight, int64_t heads) {
  return swap_pairs("permute_rope", weight, heads, false);
}

namespace {

std::vector<uint8_t> parse_hex(const Check& check, const std::string& text) {
  const auto digit = [&](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    check.refuse(ErrorKind::value, "bytes_hex", fmt::format("must be hexadecimal digits, got '{}'", c));
  };
  if (text.size() % 2 != 0)
    check.refuse(ErrorKind::value, "bytes_hex",
                 fmt::format("has {} digits, expected two per byte", text.size()));
  std::vector<uint8_t> bytes(text.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  return bytes;
}

at::Tensor dequantize_op(const std::string& bytes_hex, const std::string& name) {
  const Check check("decode.dequantize");
  const auto* type = find_ggml_type(name);
  if (!type || !type->decode)
    check.refuse(ErrorKind::type, "type",
                 fmt::format("'{}' is not supported, expected one of: {}", name, decodable_types()));
  if (bytes_hex.empty()) check.refuse(ErrorKind::empty, "bytes_hex", "is empty");
  const auto bytes = parse_hex(check, bytes_hex);
  const auto size = static_cast<int64_t>(bytes.size());
  if (size % type->bytes != 0)
    check.refuse(ErrorKind::shape, "bytes_hex",
                 fmt::format("holds {} bytes, expected a multiple of {} for {}", size, type->bytes, name));
  return dequantize(*type, bytes.data(), {size / type->bytes * type->block}, at::kFloat);
}

}  // namespace

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("dequantize(str bytes_hex, *, str type) -> Tensor values", &dequantize_op,
        "The numbers that blocks of a GGUF type hold, in f32.", {"90"});
  m.def("unpermute_rope(Tensor weight, *, int heads) -> Tensor weight", &unpermute_rope,
        "Rows of q or k from GGUF's interleaved rotary order to Hugging Face's halves.", {"90"});
}

}  // namespace plaudit
