#include <ATen/ATen.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/data/hdf5.h"
#include "plaudit/data/hdf5_handle.h"

namespace plaudit {
namespace {

using namespace hdf5;

[[noreturn]] void refuse_write(const std::string& path, const std::string& what) {
  fail(ErrorKind::io, path, fmt::format("{} cannot be written: {}", what, last_error()));
}

hid_t text_type() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

// What the columns of a file are written as.
hid_t stored_type(at::ScalarType type) {
  if (type == at::kFloat) return H5Tcopy(H5T_IEEE_F32LE);
  if (type == at::kDouble) return H5Tcopy(H5T_IEEE_F64LE);
  if (type == at::kLong) return H5Tcopy(H5T_STD_I64LE);
  if (type != at::kBool) bug("data.hdf5", "columns are f32, f64, i64 or bool");
  const hid_t boolean = H5Tenum_create(H5T_STD_I8LE);
  const int8_t no = 0, yes = 1;
  H5Tenum_insert(boolean, "FALSE", &no);
  H5Tenum_insert(boolean, "TRUE", &yes);
  return boolean;
}

// The groups above a name are made where they are missing.
hid_t with_parents() {
  const hid_t list = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(list, 1);
  return list;
}

constexpr int64_t kChunkBytes = 256 * 1024;

}  // namespace

Hdf5Writer::Hdf5Writer(const std::string& path)
    : path_(path), temporary_(fmt::format("{}.{}.part", path, getpid())) {
  quiet();
  const auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) create_folder(parent.string());
  file_ = H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (file_ < 0) fail(ErrorKind::io, path, "cannot be written as HDF5: " + last_error());
}

Hdf5Writer::~Hdf5Writer() {
  if (file_ < 0) return;
  H5Fclose(id_of(file_));
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void Hdf5Writer::group(const std::string& name) {
  const Handle parents(with_parents(), H5Pclose);
  const Handle id(H5Gcreate2(id_of(file_), rooted(name).c_str(), parents, H5P_DEFAULT, H5P_DEFAULT),
                  H5Gclose);
  if (id < 0) refuse_write(path_, name);
}

void Hdf5Writer::write(const std::string& column, const at::Tensor& values, int level) {
  const auto flat = values.detach().cpu().contiguous();
  const std::vector<hsize_t> sizes(flat.sizes().begin(), flat.sizes().end());
  const Handle type(stored_type(flat.scalar_type()), H5Tclose), parents(with_parents(), H5Pclose),
      layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  const Handle space(sizes.empty() ? H5Screate(H5S_SCALAR)
                                   : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
                     H5Sclose);
  if (level > 0 && flat.numel() > 0 && !sizes.empty()) {
    auto chunk = sizes;
    const auto row_bytes = static_cast<int64_t>(flat.nbytes()) / flat.size(0);
    chunk[0] = static_cast<hsize_t>(
        std::clamp<int64_t>(kChunkBytes / std::max<int64_t>(row_bytes, 1), 1, flat.size(0)));
    H5Pset_chunk(layout, static_cast<int>(chunk.size()), chunk.data());
    H5Pset_shuffle(layout);  // bytes of like significance together: floats shrink by a fifth more
    H5Pset_deflate(layout, static_cast<unsigned>(level));
  }
  const Handle set(
      H5Dcreate2(id_of(file_), rooted(column).c_str(), type, space, parents, layout, H5P_DEFAULT), H5Dclose);
  if (set < 0) refuse_write(path_, column);
  if (flat.numel() == 0) return;
  // Tensors hold their numbers as this machine does; one byte a boolean.
  const Handle memory(
      flat.scalar_type() == at::kBool ? H5Tcopy(type) : H5Tget_native_type(type, H5T_DIR_DEFAULT), H5Tclose);
  if (H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, flat.const_data_ptr()) < 0)
    refuse_write(path_, column);
}

void Hdf5Writer::write_text(const std::string& column, const std::string& text) {
  const Handle type(text_type(), H5Tclose), space(H5Screate(H5S_SCALAR), H5Sclose),
      parents(with_parents(), H5Pclose);
  const Handle set(
      H5Dcreate2(id_of(file_), rooted(column).c_str(), type, space, parents, H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose);
  const char* bytes = text.c_str();
  if (set < 0 || H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &bytes) < 0) refuse_write(path_, column);
}

void Hdf5Writer::attribute(const std::string& name, const std::string& key, const Json& value) {
  const Handle object(H5Oopen(id_of(file_), rooted(name).c_str(), H5P_DEFAULT), H5Oclose);
  const auto put = [&](hid_t type, const void* bytes) {
    const Handle owned(type, H5Tclose), space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle id(H5Acreate2(object, key.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (object < 0 || id < 0 || H5Awrite(id, type, bytes) < 0) refuse_write(path_, name + "." + key);
  };
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    const char* bytes = text.c_str();
    put(text_type(), &bytes);
  } else if (value.is_number_float()) {
    const auto number = value.get<double>();
    put(H5Tcopy(H5T_NATIVE_DOUBLE), &number);
  } else {
    const auto number = value.get<int64_t>();
    put(H5Tcopy(H5T_NATIVE_INT64), &number);
  }
}

void Hdf5Writer::commit() {
  const bool written = H5Fclose(id_of(file_)) >= 0;
  file_ = -1;
  if (!written) fail(ErrorKind::io, path_, "cannot be written: " + last_error());
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error) fail(ErrorKind::io, path_, "cannot be put in place: " + error.message());
}

}  // namespace plaudit
