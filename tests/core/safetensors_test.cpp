#include "plaudit/core/safetensors.h"

#include <ATen/ATen.h>

#include <cstring>
#include <random>

#include "plaudit/core/files.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;
using testing::write_bytes;

// A file of that header and `data` zero bytes.
std::string file_bytes(const std::string& header, size_t data) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data, '\0');
}

void expect_header_refused(ErrorKind kind, const std::string& text, const std::string& header,
                           size_t data = 8) {
  TemporaryFolder folder;
  write_bytes(folder / "f", file_bytes(header, data));
  SCOPED_TRACE(header);
  expect_error(kind, text, [&] { load_safetensors(folder / "f"); });
}

std::map<std::string, at::Tensor> one_of_each() {
  std::map<std::string, at::Tensor> out;
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
                          at::kChar, at::kByte, at::kBool})
    out[c10::toString(type)] = at::arange(1, 7).view({2, 3}).to(type);
  out["scalar"] = at::tensor(2.5);
  out["empty"] = at::empty({0, 4});
  out["odd"] = at::arange(3).to(at::kByte);
  return out;
}

TEST(Safetensors, EveryDtypeSurvivesARoundTrip) {
  TemporaryFolder folder;
  const auto saved = one_of_each();
  save_safetensors(folder / "f", saved, {{"format", "pt"}, {"note", "\"quoted\"\n"}});
  const auto loaded = load_safetensors(folder / "f");
  ASSERT_EQ(loaded.tensors.size(), saved.size());
  for (const auto& [name, tensor] : saved) {
    EXPECT_EQ(loaded.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(loaded.tensors.at(name), tensor)) << name;
  }
  EXPECT_EQ(loaded.metadata.at("note"), "\"quoted\"\n");
}

TEST(Safetensors, StridedTensorsAreSavedInOrder) {
  TemporaryFolder folder;
  const auto tensor = at::arange(6).view({2, 3});
  save_safetensors(folder / "f", {{"t", tensor.t()}, {"part", tensor.narrow(1, 1, 2)}});
  const auto loaded = load_safetensors(folder / "f").tensors;
  EXPECT_TRUE(at::equal(loaded.at("t"), tensor.t()));
  EXPECT_TRUE(at::equal(loaded.at("part"), tensor.narrow(1, 1, 2)));
}

TEST(Safetensors, TensorsOutliveTheirFileAndMayChange) {
  TemporaryFolder folder;
  save_safetensors(folder / "f", {{"a", at::ones({4})}});
  auto tensor = load_safetensors(folder / "f").tensors.at("a");
  save_safetensors(folder / "f", {{"a", at::zeros({4})}});
  tensor.mul_(3);
  EXPECT_TRUE(at::equal(tensor, at::full({4}, 3.0)));
  EXPECT_TRUE(at::equal(load_safetensors(folder / "f").tensors.at("a"), at::zeros({4})));
}

TEST(Safetensors, DataAtAnOddByteIsRead) {
  TemporaryFolder folder;
  const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}} )";
  auto bytes = file_bytes(header, 9);
  const float values[2] = {1.5f, -2};
  std::memcpy(bytes.data() + 8 + header.size() + 1, values, 8);
  write_bytes(folder / "f", bytes);
  const auto tensor = load_safetensors(folder / "f").tensors.at("a");
  EXPECT_TRUE(at::equal(tensor, at::tensor({1.5f, -2.f})));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data_ptr()) % 4, 0u);
}

TEST(Safetensors, FaultyHeadersAreNamed) {
  using enum ErrorKind;
  expect_header_refused(type, "is not JSON", "{\"a\":");
  expect_header_refused(type, "not a JSON object", "[]");
  expect_header_refused(type, "nested too deeply", std::string(5000, '['));
  expect_header_refused(type, "'a' is not described", R"({"a":3})");
  expect_header_refused(type, "has no dtype", R"({"a":{"shape":[2],"data_offsets":[0,8]}})");
  expect_header_refused(type, "'F33', did you mean 'F32'",
                        R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})");
  expect_header_refused(type, "has no list shape", R"({"a":{"dtype":"F32","data_offsets":[0,8]}})");
  expect_header_refused(type, "names tensor 'a' twice",
                        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{}})");
  expect_header_refused(type, "__metadata__.k is not a string", R"({"__metadata__":{"k":1}})");
  expect_header_refused(shape, "has -2 in shape",
                        R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})");
  expect_header_refused(shape, "has 1.5 in shape",
                        R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}})");
  expect_header_refused(shape, "18446744073709551615 in shape",
                        R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})");
  expect_header_refused(shape, "shape [4611686018427387904, 4]",
                        R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})");
  expect_header_refused(shape, "shape [4611686018427387904, 4, 0]",
                        R"({"a":{"dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,0]}})");
  expect_header_refused(shape, "shape [3] has 8 data bytes",
                        R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})");
  expect_header_refused(shape, "not [begin, end]",
                        R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})");
  expect_header_refused(shape, "not [begin, end]", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})");
  expect_header_refused(shape, "ends at byte 12 of 8",
                        R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})");
  expect_header_refused(shape, "'a' and 'b' overlap",
                        R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                        R"("b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})");
}

TEST(Safetensors, ABooleanIsZeroOrOne) {
  TemporaryFolder folder;
  auto bytes = file_bytes(R"({"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", 2);
  bytes.back() = 2;
  write_bytes(folder / "f", bytes);
  expect_error(ErrorKind::value, "other than 0 and 1", [&] { load_safetensors(folder / "f"); });
}

TEST(Safetensors, HeaderLengthsAreChecked) {
  TemporaryFolder folder;
  for (const uint64_t length : {uint64_t{100}, uint64_t{200'000'000}, ~uint64_t{0}}) {
    std::string bytes(64, ' ');
    std::memcpy(bytes.data(), &length, 8);
    write_bytes(folder / "f", bytes);
    expect_error(ErrorKind::shape, "header of", [&] { load_safetensors(folder / "f"); });
  }
}

TEST(Safetensors, EveryPrefixIsRefused) {
  TemporaryFolder folder;
  save_safetensors(folder / "f", {{"a", at::ones({2, 3})}, {"b", at::ones({2}, at::kByte)}});
  const auto whole = read_file(folder / "f");
  for (size_t size = 0; size < whole.size(); ++size) {
    write_bytes(folder / "f", whole.substr(0, size));
    EXPECT_THROW(load_safetensors(folder / "f"), UserError) << size << " of " << whole.size();
  }
}

// Whatever the bytes: either tensors that can be read to the end, or a UserError.
TEST(Safetensors, RandomDamageNeverCrashes) {
  TemporaryFolder folder;
  save_safetensors(folder / "f", one_of_each());
  const auto whole = read_file(folder / "f");
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    auto bytes = whole;
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    write_bytes(folder / "g", bytes);
    try {
      for (const auto& [name, tensor] : load_safetensors(folder / "g").tensors) tensor.sum().item();
    } catch (const UserError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(Safetensors, TypesWithoutANameAreRefused) {
  TemporaryFolder folder;
  expect_error(ErrorKind::type, "tensor 'c' of ComplexFloat", [&] {
    save_safetensors(folder / "f", {{"c", at::ones({1}, at::kComplexFloat)}});
  });
}

TEST(SafetensorsFolder, ShardsAreJoined) {
  TemporaryFolder folder;
  save_safetensors(folder / "1.safetensors", {{"a", at::ones({2})}});
  save_safetensors(folder / "2.safetensors", {{"b", at::zeros({3})}});
  const auto index = folder / "model.safetensors.index.json";
  write_bytes(index, R"({"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})");
  const auto loaded = load_safetensors_folder(folder.path().string());
  EXPECT_EQ(loaded.tensors.size(), 2u);
  EXPECT_EQ(loaded.metadata.at("format"), "pt");

  write_bytes(index, R"({"weight_map": {"c": "1.safetensors"}})");
  expect_error(ErrorKind::value, "holds no tensor 'c'",
               [&] { load_safetensors_folder(folder.path().string()); });
  write_bytes(index, R"({"weight_map": {"a": "../1.safetensors"}})");
  expect_error(ErrorKind::type, "expected the name of a file",
               [&] { load_safetensors_folder(folder.path().string()); });
  write_bytes(index, R"({"weight_map": {"a": "3.safetensors"}})");
  expect_error(ErrorKind::io, "No such file", [&] { load_safetensors_folder(folder.path().string()); });
  write_bytes(index, "[]");
  expect_error(ErrorKind::type, "weight_map", [&] { load_safetensors_folder(folder.path().string()); });
}

TEST(SafetensorsFolder, AFolderWithoutWeightsIsNamed) {
  TemporaryFolder folder;
  expect_error(ErrorKind::io, "holds neither", [&] { load_safetensors_folder(folder.path().string()); });
}

}  // namespace
}  // namespace plaudit
