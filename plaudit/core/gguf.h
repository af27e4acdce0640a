// The GGUF format, versions 2 and 3: typed metadata and named tensors, many of them quantised
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
//
// Every size, count and offset is checked against the file before it is used; a file that breaks a rule is
// refused with a UserError that starts with the path (io, type, shape or value).
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plaudit/core/dequantize.h"
#include "plaudit/core/files.h"

namespace plaudit {

// An open file; safe to read from several threads.
class GgufFile {
 public:
  static std::shared_ptr<GgufFile> open(const std::string& path);

  const std::string& path() const { return file_->path(); }
  int version() const { return version_; }

  // All keys, in file order: {"general.architecture": "llama", ...}. Text may hold bytes that are not UTF-8.
  const Json& metadata() const { return metadata_; }

  // Tensor names in file order.
  const std::vector<std::string>& names() const { return names_; }
  bool has(const std::string& name) const { return tensors_.contains(name); }
  // Row-major: a matrix of GGUF dimensions ne = [in, out] is [out, in]. UserError (value) for an unknown
  // name, here and below.
  std::vector<int64_t> sizes(const std::string& name) const { return find(name).sizes; }
  std::string type(const std::string& name) const { return std::string(find(name).type->name); }  // "Q4_K"
  int64_t bytes(const std::string& name) const { return find(name).bytes; }

  // The values in a floating dtype. A tensor that is stored in that dtype shares the mapped file, and may be
  // changed in place all the same; others are decoded into memory of their own. Kind type for an element type
  // that plaudit does not read.
  at::Tensor tensor(const std::string& name, at::ScalarType dtype) const;

 private:
  friend class GgufParser;
  struct Entry {
    std::vector<int64_t> sizes;
    const GgmlType* type = nullptr;
    int64_t bytes = 0;
    uint8_t* data = nullptr;
  };
  GgufFile() = default;
  const Entry& find(const std::string& name) const;

  std::shared_ptr<MappedFile> file_;
  int version_ = 0;
  Json metadata_ = Json::object();
  std::vector<std::string> names_;
  std::map<std::string, Entry> tensors_;
};

// Writes a version 3 file, aside and renamed. Tensors are F32, F16 or BF16 (kFloat, kHalf, kBFloat16) of at
// most 4 dimensions. The type of a metadata value follows from its JSON: text string, true/false bool, a
// fraction f32, an integer u32 (i32 when negative; u64, i64 where it does not fit), a list array of string,
// bool, f32 or i32 (i64 where one does not fit).
void save_gguf(const std::string& path, const Json& metadata,
               const std::map<std::string, at::Tensor>& tensors);

}  // namespace plaudit
