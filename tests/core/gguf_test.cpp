#include "plaudit/core/gguf.h"

#include <ATen/ATen.h>

#include <cstring>
#include <random>

#include <gmock/gmock.h>

#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;
using testing::write_bytes;

// Builds files byte by byte, so that each rule can be broken alone.
struct Bytes {
  std::string text;
  template <class T>
  Bytes& put(T value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& put(const char* value) {
    put<uint64_t>(std::strlen(value));
    text += value;
    return *this;
  }
  Bytes& header(uint64_t tensors, uint64_t keys, uint32_t version = 3) {
    text += "GGUF";
    return put(version).put(tensors).put(keys);
  }
  Bytes& tensor(const char* name, std::vector<int64_t> dims, int32_t type, uint64_t offset) {
    put(name).put(static_cast<uint32_t>(dims.size()));
    for (const auto dim : dims) put(dim);
    return put(type).put(offset);
  }
  Bytes& data(size_t bytes) {
    text.resize((text.size() + 31) / 32 * 32 + bytes);
    return *this;
  }
};

void expect_file_refused(ErrorKind kind, const std::string& message, const Bytes& bytes) {
  TemporaryFolder folder;
  write_bytes(folder / "f.gguf", bytes.text);
  expect_error(kind, message, [&] { GgufFile::open(folder / "f.gguf"); });
}

// One key of every type, nested arrays, and three tensors.
std::string small_file() {
  Bytes b;
  b.header(3, 15, 2);
  b.put("u8").put<int32_t>(0).put<uint8_t>(200).put("i8").put<int32_t>(1).put<int8_t>(-3);
  b.put("u16").put<int32_t>(2).put<uint16_t>(60000).put("i16").put<int32_t>(3).put<int16_t>(-300);
  b.put("u32").put<int32_t>(4).put<uint32_t>(4000000000).put("i32").put<int32_t>(5).put<int32_t>(-7);
  b.put("f32").put<int32_t>(6).put<float>(0.5f).put("bool").put<int32_t>(7).put<uint8_t>(1);
  b.put("string").put<int32_t>(8).put("text");
  b.put("array").put<int32_t>(9).put<int32_t>(8).put<uint64_t>(2).put("a").put("b");
  b.put("nested")
      .put<int32_t>(9)
      .put<int32_t>(9)
      .put<uint64_t>(1)
      .put<int32_t>(5)
      .put<uint64_t>(1)
      .put<int32_t>(4);
  b.put("u64").put<int32_t>(10).put<uint64_t>(1ull << 63).put("i64").put<int32_t>(11).put<int64_t>(-5);
  b.put("f64").put<int32_t>(12).put<double>(0.1);
  b.put("empty").put<int32_t>(9).put<int32_t>(6).put<uint64_t>(0);
  b.tensor("w", {3, 2}, 0, 0).tensor("q", {32}, 8, 32).tensor("scalar", {}, 0, 96);
  return b.data(128).text;
}

TEST(Gguf, ReadsEveryTypeOfValue) {
  TemporaryFolder folder;
  write_bytes(folder / "f", small_file());
  const auto file = GgufFile::open(folder / "f");
  EXPECT_EQ(file->version(), 2);
  EXPECT_EQ(
      file->metadata().dump(),
      R"({"u8":200,"i8":-3,"u16":60000,"i16":-300,"u32":4000000000,"i32":-7,"f32":0.5,"bool":true,)"
      R"("string":"text","array":["a","b"],"nested":[[4]],"u64":9223372036854775808,"i64":-5,"f64":0.1,)"
      R"("empty":[]})");
  EXPECT_THAT(file->names(), ::testing::ElementsAre("w", "q", "scalar"));
  EXPECT_THAT(file->sizes("w"), ::testing::ElementsAre(2, 3));
  EXPECT_EQ(file->type("q"), "Q8_0");
  EXPECT_EQ(file->bytes("q"), 34);
  EXPECT_EQ(file->tensor("scalar", at::kFloat).dim(), 0);
}

TEST(Gguf, EveryPrefixIsRefused) {
  TemporaryFolder folder;
  const auto whole = small_file();
  for (size_t size = 0; size < whole.size(); ++size) {
    write_bytes(folder / "f", whole.substr(0, size));
    EXPECT_THROW(GgufFile::open(folder / "f"), UserError) << size << " of " << whole.size();
  }
}

// Whatever the bytes: either tensors that can be read to the end, or a UserError.
TEST(Gguf, RandomDamageNeverCrashes) {
  TemporaryFolder folder;
  const auto whole = small_file();
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 6000; ++round) {
    auto bytes = whole;
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    write_bytes(folder / "f", bytes);
    try {
      const auto file = GgufFile::open(folder / "f");
      for (const auto& name : file->names()) file->tensor(name, at::kFloat).sum().item();
    } catch (const UserError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
}

TEST(Gguf, BrokenRulesAreNamed) {
  using enum ErrorKind;
  expect_file_refused(type, "is not a GGUF file", Bytes{"GGML....................."});
  expect_file_refused(type, "version 1, expected 2 or 3", Bytes().header(0, 0, 1));
  expect_file_refused(type, "big-endian", Bytes().header(0, 0, 3u << 24));
  expect_file_refused(shape, "tensors, more than fit", Bytes().header(1ull << 60, 0));
  expect_file_refused(shape, "keys, more than fit", Bytes().header(0, ~0ull));
  expect_file_refused(type, "key 'k' has value type 13",
                      Bytes().header(0, 1).put("k").put<int32_t>(13).data(64));
  expect_file_refused(value, "boolean 2",
                      Bytes().header(0, 1).put("k").put<int32_t>(7).put<uint8_t>(2).data(64));
  expect_file_refused(
      shape, "elements of 'k', more than fit",
      Bytes().header(0, 1).put("k").put<int32_t>(9).put<int32_t>(0).put<uint64_t>(~0ull).data(64));
  expect_file_refused(
      type, "key 'k' has element type -1",
      Bytes().header(0, 1).put("k").put<int32_t>(9).put<int32_t>(-1).put<uint64_t>(0).data(64));
  expect_file_refused(
      value, "holds key 'k' twice",
      Bytes().header(0, 2).put("k").put<int32_t>(4).put(0).put("k").put<int32_t>(4).put(0).data(64));
  expect_file_refused(value, "general.alignment is 24",
                      Bytes().header(0, 1).put("general.alignment").put<int32_t>(4).put(24).data(64));
  expect_file_refused(shape, "5 dimensions",
                      Bytes().header(1, 0).tensor("t", {1, 1, 1, 1, 1}, 0, 0).data(64));
  expect_file_refused(shape, "sizes [-1]", Bytes().header(1, 0).tensor("t", {-1}, 0, 0).data(64));
  expect_file_refused(shape, "sizes [4611686018427387904, 4, 0]",
                      Bytes().header(1, 0).tensor("t", {1ll << 62, 4, 0}, 0, 0).data(64));
  expect_file_refused(shape, "sizes [4611686018427387904]",
                      Bytes().header(1, 0).tensor("t", {1ll << 62}, 0, 0).data(64));
  expect_file_refused(type, "tensor 't' has type 99", Bytes().header(1, 0).tensor("t", {1}, 99, 0).data(64));
  expect_file_refused(shape, "rows of 33, expected a multiple of 32 for Q8_0",
                      Bytes().header(1, 0).tensor("t", {33}, 8, 0).data(64));
  expect_file_refused(shape, "multiple of 32", Bytes().header(1, 0).tensor("t", {1}, 0, 4).data(64));
  expect_file_refused(shape, "passes the end", Bytes().header(1, 0).tensor("t", {8}, 0, ~31ull).data(64));
  expect_file_refused(shape, "passes the end", Bytes().header(1, 0).tensor("t", {32}, 0, 0).data(64));
  expect_file_refused(shape, "'t' overlaps",
                      Bytes().header(2, 0).tensor("s", {16}, 0, 0).tensor("t", {8}, 0, 32).data(64));
  expect_file_refused(value, "holds tensor 't' twice",
                      Bytes().header(2, 0).tensor("t", {8}, 0, 0).tensor("t", {8}, 0, 32).data(64));
}

TEST(Gguf, DeeplyNestedArraysAreRefused) {
  Bytes b;
  b.header(0, 1).put("k").put<int32_t>(9);
  for (int i = 0; i < 1000; ++i) b.put<int32_t>(9).put<uint64_t>(1);
  expect_file_refused(ErrorKind::value, "nests arrays", b.data(64));
}

TEST(Gguf, TypesThatAreNotReadAreNamedOnUse) {
  TemporaryFolder folder;
  write_bytes(folder / "f", Bytes().header(1, 0).tensor("t", {256}, 10, 0).data(96).text);
  const auto file = GgufFile::open(folder / "f");
  EXPECT_EQ(file->type("t"), "Q2_K");
  expect_error(ErrorKind::type,
               "tensor 't' has type Q2_K, which is not supported; supported are F32, F16, Q4_0",
               [&] { file->tensor("t", at::kFloat); });
  expect_error(ErrorKind::value, "holds no tensor 'tt', did you mean 't'?", [&] { file->sizes("tt"); });
}

Json some_metadata() {
  return Json::parse(R"({"general.architecture": "llama", "n": 3, "negative": -3, "big": 5000000000,
    "small": -5000000000, "x": 0.25, "yes": true, "names": ["a", "", "b\n"], "kinds": [1, -2], "long": [1, 5000000000],
    "scores": [0.5, -1.5], "flags": [true, false], "none": [], "grid": [[1, 2], [3]]})");
}

TEST(SaveGguf, MetadataAndTensorsSurviveARoundTrip) {
  TemporaryFolder folder;
  const auto values = at::arange(-3, 3).view({2, 3});
  save_gguf(folder / "f", some_metadata(),
            {{"f32", values.to(at::kFloat)},
             {"f16", values.to(at::kHalf)},
             {"bf16", values.to(at::kBFloat16)},
             {"strided", values.to(at::kFloat).t()},
             {"empty", at::empty({0, 4})},
             {"scalar", at::tensor(2.5f)}});
  const auto file = GgufFile::open(folder / "f");
  EXPECT_EQ(file->version(), 3);
  EXPECT_EQ(file->metadata(), some_metadata());
  for (const char* name : {"f32", "f16", "bf16"}) {
    for (const auto dtype : {at::kFloat, at::kHalf, at::kBFloat16, at::kDouble})
      EXPECT_TRUE(at::equal(file->tensor(name, dtype), values.to(dtype))) << name << " as " << dtype;
  }
  EXPECT_TRUE(at::equal(file->tensor("strided", at::kFloat), values.to(at::kFloat).t()));
  EXPECT_THAT(file->sizes("empty"), ::testing::ElementsAre(0, 4));
  EXPECT_EQ(file->tensor("scalar", at::kFloat).item<float>(), 2.5f);
}

TEST(SaveGguf, AlignmentOfTheMetadataIsHonoured) {
  TemporaryFolder folder;
  for (const int alignment : {1, 2, 64}) {
    save_gguf(folder / "f", {{"general.alignment", alignment}},
              {{"a", at::ones({3}, at::kHalf)}, {"b", at::full({5}, 2.f)}});
    const auto file = GgufFile::open(folder / "f");
    EXPECT_EQ(file->tensor("b", at::kFloat).sum().item<float>(), 10) << alignment;
    EXPECT_EQ(file->tensor("a", at::kHalf).sum().item<float>(), 3) << alignment;
  }
}

TEST(SaveGguf, WhatTheFormatCannotHoldIsRefused) {
  TemporaryFolder folder;
  const auto path = folder / "f";
  expect_error(ErrorKind::type, "tensor 't' is Long", [&] {
    save_gguf(path, Json::object(), {{"t", at::ones({1}, at::kLong)}});
  });
  expect_error(ErrorKind::shape, "5 dimensions", [&] {
    save_gguf(path, Json::object(), {{"t", at::ones({1, 1, 1, 1, 1})}});
  });
  expect_error(ErrorKind::type, "key 'k' of null", [&] { save_gguf(path, {{"k", nullptr}}, {}); });
  expect_error(ErrorKind::type, "key 'k' mixes types", [&] { save_gguf(path, {{"k", {1, "a"}}}, {}); });
  expect_error(ErrorKind::value, "general.alignment is 3", [&] {
    save_gguf(path, {{"general.alignment", 3}}, {});
  });
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace plaudit
