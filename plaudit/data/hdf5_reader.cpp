#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/data/hdf5.h"
#include "plaudit/data/hdf5_handle.h"

namespace plaudit {
namespace {

using namespace hdf5;

[[noreturn]] void refuse_read(const std::string& path, const std::string& what = "") {
  fail(ErrorKind::io, path,
       fmt::format("{}cannot be read as HDF5: {}", what.empty() ? "" : what + " ", last_error()));
}

std::vector<int64_t> sizes_of(hid_t space) {
  std::vector<hsize_t> sizes(static_cast<size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
  if (!sizes.empty()) H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  return {sizes.begin(), sizes.end()};
}

// h5py keeps booleans as an enumeration of FALSE and TRUE.
bool is_boolean(hid_t type) {
  if (H5Tget_class(type) != H5T_ENUM || H5Tget_nmembers(type) != 2) return false;
  char* name = H5Tget_member_name(type, 0);
  const bool yes = name != nullptr && std::string(name) == "FALSE";
  H5free_memory(name);
  return yes;
}

struct NumberType {
  at::ScalarType ours;
  hid_t memory;
};

// How a column of numbers is held here; memory -1 for anything else.
NumberType number_type(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return H5Tget_size(type) <= 4 ? NumberType{at::kFloat, H5T_NATIVE_FLOAT}
                                    : NumberType{at::kDouble, H5T_NATIVE_DOUBLE};
    case H5T_INTEGER:
      return {at::kLong, H5T_NATIVE_INT64};
    case H5T_ENUM:
      return {is_boolean(type) ? at::kBool : at::kLong, H5T_NATIVE_INT64};
    default:
      return {at::kFloat, -1};
  }
}

// The text in one element of `type`, read by `read(memory type, buffer)`.
template <class Read>
std::string text_in(hid_t type, Read read) {
  if (H5Tis_variable_str(type) > 0) {
    const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    char* text = nullptr;
    if (read(memory, &text) < 0 || text == nullptr) return "";
    std::string out = text;
    H5free_memory(text);
    return out;
  }
  std::string out(H5Tget_size(type), '\0');
  if (read(type, out.data()) < 0) return "";
  return out.substr(0, out.find('\0'));
}

Json attribute_value(hid_t attribute) {
  const Handle type(H5Aget_type(attribute), H5Tclose), space(H5Aget_space(attribute), H5Sclose);
  if (H5Sget_simple_extent_npoints(space) != 1) return nullptr;
  if (H5Tget_class(type) == H5T_STRING)
    return text_in(type, [&](hid_t memory, void* out) { return H5Aread(attribute, memory, out); });
  const auto number = number_type(type);
  if (number.memory < 0) return nullptr;
  if (at::isFloatingType(number.ours)) {
    double value = 0;
    if (H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) < 0) return nullptr;
    return value;
  }
  int64_t value = 0;
  if (H5Aread(attribute, number.memory, &value) < 0) return nullptr;
  return number.ours == at::kBool ? Json(value != 0) : Json(value);
}

}  // namespace

bool has_hdf5() {
  return true;
}

Hdf5Reader::Hdf5Reader(const std::string& path) : path_(path) {
  quiet();
  if (!std::filesystem::exists(path)) fail(ErrorKind::io, path, "there is no such file");
  file_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file_ < 0) refuse_read(path);
}

Hdf5Reader::~Hdf5Reader() {
  H5Fclose(id_of(file_));
}

bool Hdf5Reader::has(const std::string& name) const {
  // Every step of the way must be asked for: a missing group above is an error to the library.
  for (size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1))
    if (H5Lexists(id_of(file_), rooted(name.substr(0, slash)).c_str(), H5P_DEFAULT) <= 0) return false;
  return name.empty() || H5Lexists(id_of(file_), rooted(name).c_str(), H5P_DEFAULT) > 0;
}

bool Hdf5Reader::is_group(const std::string& name) const {
  if (!has(name)) return false;
  const Handle object(H5Oopen(id_of(file_), rooted(name).c_str(), H5P_DEFAULT), H5Oclose);
  if (object < 0) refuse_read(path_, name);
  return H5Iget_type(object) == H5I_GROUP;
}

std::vector<std::string> Hdf5Reader::members(const std::string& group) const {
  const Handle id(H5Gopen2(id_of(file_), rooted(group).c_str(), H5P_DEFAULT), H5Gclose);
  if (id < 0) refuse_read(path_, group);
  std::vector<std::string> names;
  const auto take = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->push_back(name);
    return 0;
  };
  if (H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, nullptr, take, &names) < 0) refuse_read(path_, group);
  std::sort(names.begin(), names.end());
  return names;
}

std::string Hdf5Reader::element_kind(const std::string& column) const {
  const Handle set(H5Dopen2(id_of(file_), rooted(column).c_str(), H5P_DEFAULT), H5Dclose);
  if (set < 0) refuse_read(path_, column);
  const Handle type(H5Dget_type(set), H5Tclose);
  if (H5Tget_class(type) == H5T_STRING) return "text";
  return number_type(type).memory < 0 ? "other" : "number";
}

at::Tensor Hdf5Reader::read(const std::string& column) const {
  const Handle set(H5Dopen2(id_of(file_), rooted(column).c_str(), H5P_DEFAULT), H5Dclose);
  if (set < 0) refuse_read(path_, column);
  const Handle type(H5Dget_type(set), H5Tclose), space(H5Dget_space(set), H5Sclose);
  const auto number = number_type(type);
  if (number.memory < 0) fail(ErrorKind::type, path_, "'" + column + "' must hold numbers");
  const auto out = at::empty(sizes_of(space), number.ours == at::kBool ? at::kLong : number.ours);
  if (out.numel() > 0 &&
      H5Dread(set, number.memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.mutable_data_ptr()) < 0)
    refuse_read(path_, column);
  return number.ours == at::kBool ? out.to(at::kBool) : out;
}

std::string Hdf5Reader::read_text(const std::string& column) const {
  const Handle set(H5Dopen2(id_of(file_), rooted(column).c_str(), H5P_DEFAULT), H5Dclose);
  if (set < 0) refuse_read(path_, column);
  const Handle type(H5Dget_type(set), H5Tclose), space(H5Dget_space(set), H5Sclose);
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1)
    fail(ErrorKind::type, path_, "'" + column + "' must hold one text");
  return text_in(type, [&](hid_t memory, void* out) {
    return H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
  });
}

Json Hdf5Reader::attributes(const std::string& name) const {
  const Handle object(H5Oopen(id_of(file_), rooted(name).c_str(), H5P_DEFAULT), H5Oclose);
  if (object < 0) refuse_read(path_, name);
  Json out = Json::object();
  const auto take = [](hid_t at, const char* key, const H5A_info_t*, void* values) -> herr_t {
    const Handle attribute(H5Aopen(at, key, H5P_DEFAULT), H5Aclose);
    if (attribute < 0) return 0;
    if (auto value = attribute_value(attribute); !value.is_null())
      (*static_cast<Json*>(values))[key] = std::move(value);
    return 0;
  };
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, take, &out) < 0) refuse_read(path_, name);
  return out;
}

}  // namespace plaudit
