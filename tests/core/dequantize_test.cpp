#include "plaudit/core/dequantize.h"

#include <ATen/ATen.h>

#include <random>

#include "plaudit/core/call.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using testing::expect_error;

const char* const names[] = {"F32",  "F16",  "BF16", "Q4_0", "Q4_1", "Q5_0",
                             "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"};

std::vector<uint8_t> random_blocks(const GgmlType& type, int64_t blocks) {
  std::mt19937 random(7);
  std::vector<uint8_t> bytes(static_cast<size_t>(blocks * type.bytes));
  for (auto& byte : bytes) byte = static_cast<uint8_t>(random() % 120);  // no NaN in any float field
  return bytes;
}

TEST(Dequantize, ChunksAndThreadsDoNotChangeValues) {
  for (const char* name : names) {
    const auto& type = *find_ggml_type(name);
    const int64_t blocks = 100001 / type.block + 3;
    const auto bytes = random_blocks(type, blocks);
    const auto all = dequantize(type, bytes.data(), {blocks * type.block}, at::kFloat);
    std::vector<float> one(static_cast<size_t>(type.block));
    for (const int64_t block : {int64_t{0}, blocks / 2, blocks - 1}) {
      type.decode(bytes.data() + block * type.bytes, 1, one.data());
      for (int64_t i = 0; i < type.block; ++i)
        ASSERT_EQ(all[block * type.block + i].item<float>(), one[static_cast<size_t>(i)])
            << name << " " << block;
    }
  }
}

TEST(Dequantize, OtherDtypesAreTheRoundedValues) {
  for (const char* name : names) {
    const auto& type = *find_ggml_type(name);
    const int64_t blocks = 50000 / type.block + 3;
    const auto bytes = random_blocks(type, blocks);
    const auto exact = dequantize(type, bytes.data(), {blocks * type.block}, at::kFloat);
    for (const auto dtype : {at::kBFloat16, at::kDouble})
      EXPECT_TRUE(
          at::equal(dequantize(type, bytes.data(), {blocks, type.block}, dtype).view(-1), exact.to(dtype)))
          << name;
  }
}

TEST(Dequantize, FunctionNamesItsArguments) {
  const auto call = [](const Json& arguments) { call_function("decode.dequantize", arguments); };
  expect_error(ErrorKind::type, "'Q2_K' is not supported", [&] {
    call({{"bytes_hex", "00"}, {"type", "Q2_K"}});
  });
  expect_error(ErrorKind::empty, "bytes_hex is empty", [&] { call({{"bytes_hex", ""}, {"type", "F16"}}); });
  expect_error(ErrorKind::value, "got 'x'", [&] { call({{"bytes_hex", "0x"}, {"type", "F16"}}); });
  expect_error(ErrorKind::value, "has 3 digits", [&] { call({{"bytes_hex", "000"}, {"type", "F16"}}); });
  expect_error(ErrorKind::shape, "holds 3 bytes, expected a multiple of 2", [&] {
    call({{"bytes_hex", "000000"}, {"type", "F16"}});
  });
}

TEST(UnpermuteRope, IsTheInverseOfPermute) {
  const auto weight = at::arange(96).view({24, 4}).to(at::kFloat);
  const auto permuted = permute_rope(weight, 3);
  EXPECT_FALSE(at::equal(permuted, weight));
  EXPECT_TRUE(at::equal(unpermute_rope(permuted, 3), weight));
  // Pair (0, 4) of the first head's halves becomes rows (0, 1).
  EXPECT_TRUE(at::equal(permuted[1], weight[4]));
}

TEST(UnpermuteRope, RefusesWhatDoesNotSplit) {
  expect_error(ErrorKind::shape, "weight must have a multiple of 2 x heads rows, got [6, 1] with heads 2",
               [] {
                 unpermute_rope(at::ones({6, 1}), 2);
               });
  expect_error(ErrorKind::value, "heads must be >= 1, got 0", [] { unpermute_rope(at::ones({6, 1}), 0); });
  expect_error(ErrorKind::empty, "weight", [] { unpermute_rope(at::ones({0, 1}), 1); });
  expect_error(ErrorKind::shape, "weight", [] { unpermute_rope(at::ones({4}), 1); });
}

}  // namespace
}  // namespace plaudit
