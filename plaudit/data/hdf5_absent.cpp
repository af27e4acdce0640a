// In place of hdf5_reader.cpp and hdf5_writer.cpp in a program that was built without the library.
#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/data/hdf5.h"

namespace plaudit {
namespace {

[[noreturn]] void absent(const std::string& path) {
  fail(ErrorKind::io, path,
       "this program was built without HDF5 (-DPLAUDIT_HDF5=OFF); build it with libhdf5-dev installed");
}

}  // namespace

bool has_hdf5() {
  return false;
}

Hdf5Reader::Hdf5Reader(const std::string& path) : path_(path) {
  absent(path);
}
Hdf5Reader::~Hdf5Reader() = default;
bool Hdf5Reader::has(const std::string&) const {
  absent(path_);
}
bool Hdf5Reader::is_group(const std::string&) const {
  absent(path_);
}
std::vector<std::string> Hdf5Reader::members(const std::string&) const {
  absent(path_);
}
std::string Hdf5Reader::element_kind(const std::string&) const {
  absent(path_);
}
at::Tensor Hdf5Reader::read(const std::string&) const {
  absent(path_);
}
std::string Hdf5Reader::read_text(const std::string&) const {
  absent(path_);
}
Json Hdf5Reader::attributes(const std::string&) const {
  absent(path_);
}

Hdf5Writer::Hdf5Writer(const std::string& path) : path_(path) {
  absent(path);
}
Hdf5Writer::~Hdf5Writer() = default;
void Hdf5Writer::write(const std::string&, const at::Tensor&, int) {
  absent(path_);
}
void Hdf5Writer::write_text(const std::string&, const std::string&) {
  absent(path_);
}
void Hdf5Writer::group(const std::string&) {
  absent(path_);
}
void Hdf5Writer::attribute(const std::string&, const std::string&, const Json&) {
  absent(path_);
}
void Hdf5Writer::commit() {
  absent(path_);
}

}  // namespace plaudit
