#include "plaudit/core/safetensors.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"

namespace plaudit {
namespace {

// Sorted by key: the ordered kind would make reading a header quadratic in the number of its tensors.
using Header = nlohmann::json;

constexpr uint64_t max_header = 100'000'000;

struct Dtype {
  const char* name;
  at::ScalarType type;
};

constexpr Dtype kDtypes[] = {{"F64", at::kDouble},    {"F32", at::kFloat}, {"F16", at::kHalf},
                             {"BF16", at::kBFloat16}, {"I64", at::kLong},  {"I32", at::kInt},
                             {"I16", at::kShort},     {"I8", at::kChar},   {"U8", at::kByte},
                             {"BOOL", at::kBool}};

std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  for (const auto& d : kDtypes) names.emplace_back(d.name);
  return names;
}

// Reads one file; each step refuses with the path and the entry at fault.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(MappedFile::open(path)) {}

  TensorFile read() {
    const Header header = parse_header();
    TensorFile out;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        read_metadata(entry, out.metadata);
      } else {
        out.tensors.emplace(name, read_tensor(name, entry));
      }
    }
    check_overlap();
    return out;
  }

 private:
  [[noreturn]] void refuse(ErrorKind kind, const std::string& message) const { fail(kind, path_, message); }

  Header parse_header() {
    if (file_->size() < 8)
      refuse(ErrorKind::shape, fmt::format("holds {} bytes, too few for a safetensors file", file_->size()));
    uint64_t length = 0;
    std::memcpy(&length, file_->data(), 8);
    if (length > max_header)
      refuse(ErrorKind::shape, fmt::format("header of {} bytes, expected at most {}: not a safetensors file",
                                           length, max_header));
    if (length > file_->size() - 8)
      refuse(ErrorKind::shape,
             fmt::format("header of {} bytes passes the end of the file of {} bytes (truncated?)", length,
                         file_->size()));
    data_ = file_->data() + 8 + length;
    data_size_ = file_->size() - 8 - length;
    std::set<std::string> keys;
    const auto watch = [&](int depth, Header::parse_event_t event, Header& parsed) {
      if (depth > 3) refuse(ErrorKind::type, "header is nested too deeply");
      if (depth == 1 && event == Header::parse_event_t::key && !keys.insert(parsed.get<std::string>()).second)
        refuse(ErrorKind::type, "header names tensor '" + parsed.get<std::string>() + "' twice");
      return true;
    };
    const auto* begin = reinterpret_cast<const char*>(file_->data()) + 8;
    try {
      Header header = Header::parse(begin, begin + length, watch);
      if (!header.is_object()) refuse(ErrorKind::type, "header is not a JSON object");
      return header;
    } catch (const Header::exception& error) {
      refuse(ErrorKind::type, std::string("header is not JSON: ") + error.what());
    }
  }

  void read_metadata(const Header& entry, std::map<std::string, std::string>& out) const {
    if (!entry.is_object()) refuse(ErrorKind::type, "__metadata__ is not an object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) refuse(ErrorKind::type, "__metadata__." + key + " is not a string");
      out.emplace(key, value.get<std::string>());
    }
  }

  at::ScalarType read_dtype(const std::string& where, const Header& entry) const {
    const auto found = entry.find("dtype");
    if (found == entry.end() || !found->is_string()) refuse(ErrorKind::type, where + " has no dtype");
    const auto name = found->get<std::string>();
    for (const auto& d : kDtypes)
      if (name == d.name) return d.type;
    refuse(ErrorKind::type, where + " has dtype '" + name + "'" + suggestion(name, dtype_names()));
  }

  // A list of non-negative integers.
  std::vector<int64_t> read_sizes(const std::string& where, const Header& entry, const char* key) const {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_array())
      refuse(ErrorKind::type, fmt::format("{} has no list {}", where, key));
    std::vector<int64_t> out;
    for (const auto& item : *found) {
      // The parser keeps every non-negative integer as unsigned.
      if (!item.is_number_unsigned() ||
          item.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        refuse(ErrorKind::shape,
               fmt::format("{} has {} in {}, expected sizes >= 0", where, item.dump(), key));
      out.push_back(item.get<int64_t>());
    }
    return out;
  }

  at::Tensor read_tensor(const std::string& name, const Header& entry) {
    const std::string where = "tensor '" + name + "'";
    if (!entry.is_object()) refuse(ErrorKind::type, where + " is not described by an object");
    const auto type = read_dtype(where, entry);
    const auto shape = read_sizes(where, entry, "shape");
    const auto offsets = read_sizes(where, entry, "data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1])
      refuse(ErrorKind::shape, where + " has data_offsets that are not [begin, end]");
    if (static_cast<uint64_t>(offsets[1]) > data_size_)
      refuse(ErrorKind::shape,
             fmt::format("{} ends at byte {} of {} data bytes (truncated?)", where, offsets[1], data_size_));
    // Sizes that are wrong may overflow as a product even where another size is 0.
    int64_t bytes = static_cast<int64_t>(c10::elementSize(type));
    bool overflow = false;
    for (const auto size : shape)
      overflow |= __builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes);
    if (std::count(shape.begin(), shape.end(), 0)) bytes = 0;
    if (overflow || bytes != offsets[1] - offsets[0])
      refuse(ErrorKind::shape, fmt::format("{} of shape [{}] has {} data bytes", where,
                                           fmt::join(shape, ", "), offsets[1] - offsets[0]));
    if (bytes > 0) ranges_.push_back({offsets[0], offsets[1], name});
    return view(where, data_ + offsets[0], bytes, shape, type);
  }

  at::Tensor view(const std::string& where, uint8_t* data, int64_t bytes, const std::vector<int64_t>& shape,
                  at::ScalarType type) const {
    if (bytes == 0) return at::empty(shape, type);
    // Any other byte in a boolean is undefined behaviour in every kernel that reads it.
    if (type == at::kBool && std::any_of(data, data + bytes, [](uint8_t b) { return b > 1; }))
      refuse(ErrorKind::value, where + " of BOOL holds a byte other than 0 and 1");
    const auto keep = file_;
    auto tensor = at::from_blob(
        data, shape, [keep](void*) {}, at::TensorOptions(type));
    // The header may leave the data at any byte; kernels want whole elements aligned.
    const bool aligned = reinterpret_cast<uintptr_t>(data) % c10::elementSize(type) == 0;
    if (aligned) return tensor;
    auto copy = at::empty(shape, type);
    std::memcpy(copy.data_ptr(), data, static_cast<size_t>(bytes));
    return copy;
  }

  void check_overlap() {
    std::sort(ranges_.begin(), ranges_.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    for (size_t i = 1; i < ranges_.size(); ++i) {
      if (ranges_[i].begin < ranges_[i - 1].end)
        refuse(ErrorKind::shape,
               fmt::format("tensors '{}' and '{}' overlap", ranges_[i - 1].name, ranges_[i].name));
    }
  }

  struct Range {
    int64_t begin, end;
    std::string name;
  };

  std::string path_;
  std::shared_ptr<MappedFile> file_;
  uint8_t* data_ = nullptr;
  uint64_t data_size_ = 0;
  std::vector<Range> ranges_;
};

// Wide elements first, so that each tensor is aligned without gaps.
std::vector<std::string> file_order(const std::map<std::string, at::Tensor>& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  std::stable_sort(names.begin(), names.end(), [&](const auto& a, const auto& b) {
    return tensors.at(a).element_size() > tensors.at(b).element_size();
  });
  return names;
}

}  // namespace

std::string safetensors_dtype(at::ScalarType type) {
  for (const auto& d : kDtypes)
    if (type == d.type) return d.name;
  return "";
}

TensorFile load_safetensors(const std::string& path) {
  return Reader(path).read();
}

TensorFile load_safetensors_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  const auto single = fs::path(folder) / "model.safetensors";
  const auto index_path = fs::path(folder) / "model.safetensors.index.json";
  std::error_code error;
  if (fs::exists(single, error)) return load_safetensors(single.string());
  if (!fs::exists(index_path, error))
    fail(ErrorKind::io, folder, "holds neither model.safetensors nor model.safetensors.index.json");

  const Json index = read_json(index_path.string());
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    fail(ErrorKind::type, index_path.string(), "has no object weight_map");
  TensorFile out;
  std::map<std::string, TensorFile> files;
  for (const auto& [name, value] : index["weight_map"].items()) {
    const auto file = value.is_string() ? value.get<std::string>() : "";
    if (file.empty() || fs::path(file).filename() != file)
      fail(ErrorKind::type, index_path.string(),
           "weight_map." + name + " is " + value.dump() + ", expected the name of a file in the folder");
    auto found = files.find(file);
    if (found == files.end())
      found = files.emplace(file, load_safetensors((fs::path(folder) / file).string())).first;
    const auto tensor = found->second.tensors.find(name);
    if (tensor == found->second.tensors.end())
      fail(ErrorKind::value, index_path.string(), "file " + file + " holds no tensor '" + name + "'");
    out.tensors.emplace(name, tensor->second);
  }
  if (!files.empty()) out.metadata = files.begin()->second.metadata;
  return out;
}

void save_safetensors(const std::string& path, const std::map<std::string, at::Tensor>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  const auto names = file_order(tensors);
  Header header = Header::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  int64_t offset = 0;
  for (const auto& name : names) {
    const auto& tensor = tensors.at(name);
    const auto dtype = safetensors_dtype(tensor.scalar_type());
    if (dtype.empty())
      fail(ErrorKind::type, path,
           fmt::format("tensor '{}' of {} cannot be saved; safetensors files hold {}", name,
                       c10::toString(tensor.scalar_type()), fmt::join(dtype_names(), ", ")));
    const int64_t end = offset + tensor.numel() * tensor.element_size();
    header[name] = {{"dtype", dtype}, {"shape", tensor.sizes().vec()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump(-1, ' ', false, Header::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // data starts at a multiple of 8
  const uint64_t length = text.size();

  AtomicFile file(path);
  file.write(&length, 8);
  file.write(text);
  for (const auto& name : names) {
    const auto tensor = tensors.at(name).detach().cpu().contiguous();
    file.write(tensor.const_data_ptr(), static_cast<size_t>(tensor.numel() * tensor.element_size()));
  }
  file.commit();
}

}  // namespace plaudit
