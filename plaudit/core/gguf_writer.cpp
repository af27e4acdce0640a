#include <ATen/ATen.h>
#include <fmt/format.h>

#include <limits>

#include "plaudit/core/errors.h"
#include "plaudit/core/gguf.h"
#include "plaudit/core/gguf_types.h"

namespace plaudit {
namespace {

using namespace gguf;

template <class T>
bool fits(int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

// The header in memory; tensors follow it from elsewhere.
class GgufHeader {
 public:
  explicit GgufHeader(const std::string& path) : path_(path) {}

  const std::string& bytes() const { return bytes_; }

  template <class T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  void put_string(const std::string& text) {
    put<uint64_t>(text.size());
    bytes_ += text;
  }

  void put_key(const std::string& key, const Json& value) {
    put_string(key);
    const int32_t type = type_of(key, value);
    put(type);
    put_value(type, key, value);
  }

  void pad(uint64_t alignment) { bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment); }

 private:
  int32_t type_of(const std::string& key, const Json& value) const {
    if (value.is_string()) return string;
    if (value.is_boolean()) return boolean;
    if (value.is_array()) return array;
    if (value.is_number_float()) return f32;
    if (value.is_number_integer()) return integer_type(value);
    fail(ErrorKind::type, path_,
         "key '" + key + "' of " + value.type_name() + " cannot be stored in a GGUF file");
  }

  // Whether JSON holds a whole number as signed depends on the C++ type that it was made from, so the sign
  // decides.
  static int32_t integer_type(const Json& value) {
    if (value.is_number_unsigned() || value.get<int64_t>() >= 0)
      return value.get<uint64_t>() <= std::numeric_limits<uint32_t>::max() ? u32 : u64;
    return fits<int32_t>(value.get<int64_t>()) ? i32 : i64;
  }

  // One type that holds every element; integers are signed.
  int32_t element_type(const std::string& key, const Json& list) const {
    int32_t out = -1;
    for (const auto& value : list) {
      int32_t type = type_of(key, value);
      if (type == u32 || type == u64) type = fits<int32_t>(value.get<int64_t>()) ? i32 : i64;
      if ((out == i32 && type == i64) || (out == i64 && type == i32))
        type = i64;
      else if (out >= 0 && type != out)
        fail(ErrorKind::type, path_, "key '" + key + "' mixes types in one list");
      out = type;
    }
    return out < 0 ? i32 : out;
  }

  void put_value(int32_t type, const std::string& key, const Json& value) {
    switch (type) {
      case u32:
        return put(value.get<uint32_t>());
      case i32:
        return put(value.get<int32_t>());
      case u64:
        return put(value.get<uint64_t>());
      case i64:
        return put(value.get<int64_t>());
      case f32:
        return put(value.get<float>());
      case boolean:
        return put<uint8_t>(value.get<bool>() ? 1 : 0);
      case string:
        return put_string(value.get_ref<const std::string&>());
      default:
        return put_array(key, value);
    }
  }

  void put_array(const std::string& key, const Json& list) {
    const int32_t type = element_type(key, list);
    put(type);
    put<uint64_t>(list.size());
    for (const auto& value : list) put_value(type, key, value);
  }

  std::string path_;
  std::string bytes_;
};

const GgmlType& storage_type(const std::string& path, const std::string& name, const at::Tensor& tensor) {
  if (tensor.dim() > 4)
    fail(ErrorKind::shape, path,
         fmt::format("tensor '{}' has {} dimensions, a GGUF file holds at most 4", name, tensor.dim()));
  if (tensor.scalar_type() == at::kFloat) return *find_ggml_type("F32");
  if (tensor.scalar_type() == at::kHalf) return *find_ggml_type("F16");
  if (tensor.scalar_type() == at::kBFloat16) return *find_ggml_type("BF16");
  fail(ErrorKind::type, path,
       fmt::format("tensor '{}' is {}, expected Float, Half or BFloat16", name,
                   c10::toString(tensor.scalar_type())));
}

uint64_t alignment_of(const std::string& path, const Json& metadata) {
  const auto found = metadata.find("general.alignment");
  if (found == metadata.end()) return 32;
  const uint64_t value = found->is_number_integer() && *found > 0 ? found->get<uint64_t>() : 0;
  if (value == 0 || (value & (value - 1)) != 0 || value > (1u << 30))
    fail(ErrorKind::value, path, "general.alignment is " + found->dump() + ", expected a power of two");
  return value;
}

}  // namespace

void save_gguf(const std::string& path, const Json& metadata,
               const std::map<std::string, at::Tensor>& tensors) {
  if (!metadata.is_object()) fail(ErrorKind::type, path, "metadata must be an object");
  const uint64_t alignment = alignment_of(path, metadata);
  GgufHeader header(path);
  header.put<uint32_t>(0x46554747);  // "GGUF"
  header.put<uint32_t>(3);
  header.put<uint64_t>(tensors.size());
  header.put<uint64_t>(metadata.size());
  for (const auto& [key, value] : metadata.items()) header.put_key(key, value);
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto& type = storage_type(path, name, tensor);
    header.put_string(name);
    header.put(static_cast<uint32_t>(tensor.dim()));
    for (int64_t i = tensor.dim() - 1; i >= 0; --i) header.put<int64_t>(tensor.size(i));
    header.put<int32_t>(type.id);
    header.put<uint64_t>(offset);
    offset += (static_cast<uint64_t>(tensor.numel() * type.bytes) + alignment - 1) / alignment * alignment;
  }
  header.pad(alignment);

  AtomicFile file(path);
  file.write(header.bytes());
  for (const auto& [name, tensor] : tensors) {
    const auto values = tensor.detach().cpu().contiguous();
    const auto bytes = static_cast<uint64_t>(values.numel() * values.element_size());
    file.write(values.const_data_ptr(), bytes);
    file.write(std::string((alignment - bytes % alignment) % alignment, '\0'));
  }
  file.commit();
}

}  // namespace plaudit
