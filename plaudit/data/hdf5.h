// HDF5 files: columns of numbers as tensors, groups, attributes.
//
// Paths inside of a file are "a/b". Errors are UserErrors of kind io (type for what a column holds) that
// start with the file, and name the column. A program that was built without HDF5 (-DPLAUDIT_HDF5=OFF) says
// so whenever a file is opened. One thread at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/core/files.h"

namespace plaudit {

class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::string& path);
  ~Hdf5Reader();
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  const std::string& path() const { return path_; }
  bool has(const std::string& name) const;
  bool is_group(const std::string& name) const;
  // What a group holds, sorted; "" is the root.
  std::vector<std::string> members(const std::string& group = "") const;
  // The type of a column's elements is "number", "text" or "other".
  std::string element_kind(const std::string& column) const;
  // f16 and f32 as f32, f64 as f64, integers as i64, h5py's booleans as bool; compressed or not.
  at::Tensor read(const std::string& column) const;
  // A column that holds one text.
  std::string read_text(const std::string& column) const;
  // Numbers and texts that hang on a group or column ("" is the root); what else hangs there is left out.
  Json attributes(const std::string& name = "") const;

 private:
  std::string path_;
  [[maybe_unused]] int64_t file_ = -1;
};

// Writes a new file beside `path` and puts it there by commit(); without that nothing is left.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::string& path);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  // f32, f64, i64 or bool (as h5py's booleans); chunks of rows, compressed with gzip at `level`, 0: not. The
  // groups above it are made.
  void write(const std::string& column, const at::Tensor& values, int level = 4);
  void write_text(const std::string& column, const std::string& text);
  void group(const std::string& name);
  // An integer, a number, a truth value or a text.
  void attribute(const std::string& name, const std::string& key, const Json& value);
  void commit();

 private:
  std::string path_, temporary_;
  [[maybe_unused]] int64_t file_ = -1;
};

// Whether this program reads and writes HDF5.
bool has_hdf5();

}  // namespace plaudit
