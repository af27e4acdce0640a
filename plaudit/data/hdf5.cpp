#include "plaudit/data/hdf5.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

// An open handle of the library, closed at the end of its scope.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

// The library prints its errors on its own unless it is told not to.
void quiet() {
  static const bool done = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  (void)done;
}

// The innermost message on the library's stack of errors: what really went wrong.
std::string last_error() {
  std::string text;
  const auto take = [](unsigned n, const H5E_error2_t* error, void* out) -> herr_t {
    if (n == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take, &text);
  return text.empty() ? "unknown error" : text;
}

[[noreturn]] void refuse_read(const std::string& path, const std::string& what = "") {
  fail(ErrorKind::io, path,
       fmt::format("{}cannot be read as HDF5: {}", what.empty() ? "" : what + " ", last_error()));
}

[[noreturn]] void refuse_write(const std::string& path, const std::string& what) {
  fail(ErrorKind::io, path, fmt::format("{} cannot be written: {}", what, last_error()));
}

std::string rooted(const std::string& name) {
  return name.empty() ? "/" : "/" + name;
}

hid_t id_of(int64_t file) {
  return static_cast<hid_t>(file);
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

hid_t text_type() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

// The text in one element of `type`, read by `read(memory type, buffer)`.
template <class Read>
std::string text_of(hid_t type, Read read) {
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
    return text_of(type, [&](hid_t memory, void* out) { return H5Aread(attribute, memory, out); });
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
  return text_of(type, [&](hid_t memory, void* out) {
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

namespace {

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
