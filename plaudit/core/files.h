// Files: whole reads, memory maps, lines of text through gzip, and writes that are complete or do not happen.
//
// Every failure is a UserError of kind io that starts with the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plaudit {

using Json = nlohmann::ordered_json;

// The bytes of a file.
std::string read_file(const std::string& path);

// The JSON value that a file holds; kind type when it is not JSON. Keeps the order of keys, so that reading
// an object takes time quadratic in its size: not for vocabularies.
Json read_json(const std::string& path);

// Calls `line(number, text)` for each line, numbered from 1, without its "\n" or "\r\n". A file that starts
// with the gzip magic is decompressed on the way; a byte order mark is dropped.
void for_each_line(const std::string& path, const std::function<void(int64_t, const std::string&)>& line);

std::vector<std::string> read_text_lines(const std::string& path);

// Creates a folder and its parents where they are missing.
void create_folder(const std::string& path);

// Replaces the file at once: after a crash at any instant the path holds the old bytes or the new ones.
void write_file_atomic(const std::string& path, std::string_view bytes);

// `value`, indented by one space, in the same manner. Bytes that are not UTF-8 become U+FFFD.
void write_json(const std::string& path, const Json& value);

// The same in pieces: what is written goes to a temporary file beside `path`, which commit() syncs and
// renames. Without commit() the temporary file is removed. A path that is a device or a pipe is written in
// place.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, size_t count);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  void commit();

 private:
  [[noreturn]] void refuse(int error) const;

  std::string path_;       // as the user named it
  std::string target_;     // with links resolved
  std::string temporary_;  // empty when written in place
  int descriptor_ = -1;
};

// A regular file mapped privately: pages are read when touched; writes stay in this process. The file must
// not be shortened while it is mapped.
class MappedFile {
 public:
  static std::shared_ptr<MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  uint8_t* data() const { return data_; }
  uint64_t size() const { return size_; }

 private:
  MappedFile() = default;

  std::string path_;
  uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace plaudit
