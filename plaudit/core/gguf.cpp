#include "plaudit/core/gguf.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "plaudit/core/errors.h"
#include "plaudit/core/gguf_types.h"

namespace plaudit {
namespace {

constexpr uint64_t kMaxDims = 4;  // GGML_MAX_DIMS
constexpr int kMaxNesting = 4;    // arrays of arrays

// Numbers of the metadata types.
using namespace gguf;

// Bytes that one value of a type takes at least; 0 for no type.
uint64_t least_bytes(int32_t type) {
  constexpr uint64_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};
  return type >= 0 && type <= f64 ? sizes[type] : 0;
}

}  // namespace

// Walks the bytes once; nothing is read or allocated before it is known to lie in the file.
class GgufParser {
 public:
  explicit GgufParser(GgufFile& out) : out_(out), data_(out.file_->data()), size_(out.file_->size()) {}

  void parse() {
    check_magic();
    out_.version_ = static_cast<int>(read<uint32_t>("version"));
    check_version();
    const uint64_t tensors = read<uint64_t>("tensor count");
    const uint64_t keys = read<uint64_t>("key count");
    check_count("tensors", tensors, 24);
    check_count("keys", keys, 13);
    for (uint64_t i = 0; i < keys; ++i) read_key(i);
    for (uint64_t i = 0; i < tensors; ++i) read_tensor_info(i);
    place_tensors();
  }

 private:
  struct Info {
    std::string name;
    uint64_t offset;
  };

  [[noreturn]] void refuse(ErrorKind kind, const std::string& message) const {
    fail(kind, out_.path(), message);
  }

  void check_magic() {
    if (size_ < 4 || std::memcmp(data_, "GGUF", 4) != 0) refuse(ErrorKind::type, "is not a GGUF file");
    at_ = 4;
  }

  void check_version() const {
    const auto version = static_cast<uint32_t>(out_.version_);
    if (version != 0 && (version & 0xFFFF) == 0)
      refuse(ErrorKind::type, "is a big-endian GGUF file, expected little-endian");
    if (version != 2 && version != 3)
      refuse(ErrorKind::type, fmt::format("is GGUF version {}, expected 2 or 3", version));
  }

  void need(uint64_t bytes, std::string_view what) const {
    if (bytes > size_ - at_)
      refuse(ErrorKind::shape, fmt::format("ends inside {} at byte {} of {} (truncated?)", what, at_, size_));
  }

  // Refuses a count that the rest of the file cannot hold, before anything is reserved for it.
  void check_count(std::string_view what, uint64_t count, uint64_t least) const {
    if (count > (size_ - at_) / least)
      refuse(ErrorKind::shape,
             fmt::format("names {} {}, more than fit into the remaining {} bytes (truncated?)", count, what,
                         size_ - at_));
  }

  template <class T>
  T read(std::string_view what) {
    need(sizeof(T), what);
    T value;
    std::memcpy(&value, data_ + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  std::string read_string(std::string_view what) {
    const auto length = read<uint64_t>(what);
    need(length, what);
    std::string text(reinterpret_cast<const char*>(data_ + at_), length);
    at_ += length;
    return text;
  }

  Json read_value(int32_t type, const std::string& key, int nesting) {
    switch (type) {
      case u8:
        return read<uint8_t>(key);
      case i8:
        return read<int8_t>(key);
      case u16:
        return read<uint16_t>(key);
      case i16:
        return read<int16_t>(key);
      case u32:
        return read<uint32_t>(key);
      case i32:
        return read<int32_t>(key);
      case f32:
        return read<float>(key);
      case boolean:
        return read_bool(key);
      case string:
        return read_string(key);
      case array:
        return read_array(key, nesting + 1);
      case u64:
        return read<uint64_t>(key);
      case i64:
        return read<int64_t>(key);
      case f64:
        return read<double>(key);
      default:
        refuse(ErrorKind::type, fmt::format("key '{}' has value type {}, expected 0 to 12", key, type));
    }
  }

  bool read_bool(const std::string& key) {
    const auto byte = read<uint8_t>(key);
    if (byte > 1)
      refuse(ErrorKind::value, fmt::format("key '{}' holds boolean {}, expected 0 or 1", key, byte));
    return byte == 1;
  }

  Json read_array(const std::string& key, int nesting) {
    if (nesting > kMaxNesting)
      refuse(ErrorKind::value, fmt::format("key '{}' nests arrays more than {} deep", key, kMaxNesting));
    const auto type = read<int32_t>(key);
    const auto count = read<uint64_t>(key);
    if (least_bytes(type) == 0)
      refuse(ErrorKind::type, fmt::format("key '{}' has element type {}, expected 0 to 12", key, type));
    check_count("elements of '" + key + "'", count, least_bytes(type));
    Json::array_t values;
    values.reserve(count);
    for (uint64_t i = 0; i < count; ++i) values.push_back(read_value(type, key, nesting));
    return values;
  }

  void read_key(uint64_t index) {
    const auto key = read_string(fmt::format("key {}", index));
    const auto type = read<int32_t>(key);
    auto value = read_value(type, key, 0);
    // A set, because looking up a key of an ordered object walks all of them.
    if (!keys_.insert(key).second) refuse(ErrorKind::value, "holds key '" + key + "' twice");
    if (key == "general.alignment") read_alignment(value);
    out_.metadata_.get_ref<Json::object_t&>().push_back({key, std::move(value)});
  }

  void read_alignment(const Json& value) {
    alignment_ = value.is_number_integer() && value > 0 ? value.get<uint64_t>() : 0;
    if (alignment_ == 0 || (alignment_ & (alignment_ - 1)) != 0 || alignment_ > (1u << 30))
      refuse(ErrorKind::value, "general.alignment is " + value.dump() + ", expected a power of two");
  }

  void read_tensor_info(uint64_t index) {
    const auto name = read_string(fmt::format("tensor {}", index));
    const std::string where = "tensor '" + name + "'";
    GgufFile::Entry entry;
    const auto dims = read<uint32_t>(where);
    if (dims > kMaxDims)
      refuse(ErrorKind::shape,
             fmt::format("{} has {} dimensions, expected at most {}", where, dims, kMaxDims));
    for (uint32_t i = 0; i < dims; ++i) entry.sizes.push_back(read<int64_t>(where));
    const auto type = read<int32_t>(where);
    const auto offset = read<uint64_t>(where);
    entry.type = find_ggml_type(type);
    if (!entry.type)
      refuse(ErrorKind::type, fmt::format("{} has type {}, which ggml does not define", where, type));
    measure(where, entry);
    std::reverse(entry.sizes.begin(), entry.sizes.end());
    if (!out_.tensors_.emplace(name, std::move(entry)).second)
      refuse(ErrorKind::value, "holds " + where + " twice");
    out_.names_.push_back(name);
    infos_.push_back({name, offset});
  }

  // Bytes of the tensor; sizes are still fastest first.
  void measure(const std::string& where, GgufFile::Entry& entry) const {
    int64_t count = 1;
    bool ok = true;
    for (const auto size : entry.sizes) {
      ok &= size >= 0 && !__builtin_mul_overflow(count, std::max<int64_t>(size, 1), &count);
    }
    if (!ok) refuse(ErrorKind::shape, fmt::format("{} has sizes [{}]", where, fmt::join(entry.sizes, ", ")));
    if (std::count(entry.sizes.begin(), entry.sizes.end(), 0)) count = 0;
    const int64_t row = entry.sizes.empty() ? 1 : entry.sizes[0];
    if (row % entry.type->block != 0)
      refuse(ErrorKind::shape, fmt::format("{} has rows of {}, expected a multiple of {} for {}", where, row,
                                           entry.type->block, entry.type->name));
    if (__builtin_mul_overflow(count / entry.type->block, entry.type->bytes, &entry.bytes))
      refuse(ErrorKind::shape, fmt::format("{} has sizes [{}]", where, fmt::join(entry.sizes, ", ")));
  }

  uint64_t padded(uint64_t bytes) const { return (bytes + alignment_ - 1) / alignment_ * alignment_; }

  // Data starts at the next multiple of the alignment; every tensor is padded to it, the last one too, so
  // that a file that was cut anywhere shows.
  void place_tensors() {
    std::sort(infos_.begin(), infos_.end(), [](const Info& a, const Info& b) { return a.offset < b.offset; });
    const uint64_t start = padded(at_);
    const uint64_t room = start <= size_ ? size_ - start : 0;
    uint64_t end = 0;
    for (const auto& info : infos_) {
      auto& entry = out_.tensors_.at(info.name);
      const auto bytes = static_cast<uint64_t>(entry.bytes);
      const std::string where = "tensor '" + info.name + "'";
      if (info.offset % alignment_ != 0)
        refuse(ErrorKind::shape, fmt::format("{} starts at offset {}, expected a multiple of {}", where,
                                             info.offset, alignment_));
      if (info.offset > room || bytes > room - info.offset || padded(bytes) > room - info.offset)
        refuse(ErrorKind::shape,
               fmt::format("{} of {} bytes at offset {} passes the end of the file (truncated?)", where,
                           bytes, info.offset));
      if (bytes > 0 && info.offset < end) refuse(ErrorKind::shape, where + " overlaps another tensor");
      if (bytes > 0) entry.data = data_ + start + info.offset;
      end = std::max(end, info.offset + bytes);
    }
  }

  GgufFile& out_;
  uint8_t* data_;
  uint64_t size_;
  uint64_t at_ = 0;
  uint64_t alignment_ = 32;
  std::set<std::string> keys_;
  std::vector<Info> infos_;
};

std::shared_ptr<GgufFile> GgufFile::open(const std::string& path) {
  std::shared_ptr<GgufFile> out(new GgufFile);
  out->file_ = MappedFile::open(path);
  GgufParser(*out).parse();
  return out;
}

const GgufFile::Entry& GgufFile::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    fail(ErrorKind::value, path(), "holds no tensor '" + name + "'" + suggestion(name, names_));
  return found->second;
}

namespace {

// The ScalarType whose bytes a ggml type stores as they are.
std::optional<at::ScalarType> plain_dtype(const GgmlType& type) {
  if (type.name == "F32") return at::kFloat;
  if (type.name == "F16") return at::kHalf;
  if (type.name == "BF16") return at::kBFloat16;
  return std::nullopt;
}

}  // namespace

at::Tensor GgufFile::tensor(const std::string& name, at::ScalarType dtype) const {
  const auto& entry = find(name);
  if (!entry.type->decode)
    fail(ErrorKind::type, path(),
         fmt::format("tensor '{}' has type {}, which is not supported; supported are {}", name,
                     entry.type->name, decodable_types()));
  if (entry.bytes == 0) return at::empty(entry.sizes, dtype);
  const bool aligned = reinterpret_cast<uintptr_t>(entry.data) % c10::elementSize(dtype) == 0;
  if (plain_dtype(*entry.type) == dtype && aligned) {
    const auto keep = file_;
    return at::from_blob(
        entry.data, entry.sizes, [keep](void*) {}, at::TensorOptions(dtype));
  }
  return dequantize(*entry.type, entry.data, entry.sizes, dtype);
}

}  // namespace plaudit
