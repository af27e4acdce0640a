#include "plaudit/core/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_read(const std::string& path, int error) {
  fail(ErrorKind::io, path, std::string("cannot be read: ") + std::strerror(error));
}

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Opens for reading; a folder is refused here because open() accepts it.
int open_for_reading(const std::string& path, struct stat& status) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) refuse_read(path, errno);
  const int failed = ::fstat(descriptor, &status) != 0 ? errno : 0;
  if (failed || S_ISDIR(status.st_mode)) {
    ::close(descriptor);
    if (failed) refuse_read(path, failed);
    fail(ErrorKind::io, path, "is a folder, expected a file");
  }
  return descriptor;
}

// Makes a rename in `folder` survive a power cut. Some file systems refuse to sync folders; the rename
// stands.
void sync_folder(const std::string& folder) {
  const Descriptor descriptor(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() >= 0) ::fsync(descriptor.get());
}

std::string temporary_name(const std::string& target) {
  static std::atomic<int> count{0};
  return target + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(count++);
}

class GzipReader {
 public:
  explicit GzipReader(const std::string& path) : path_(path) {
    struct stat status {};
    file_ = gzdopen(open_for_reading(path, status), "rb");
    if (!file_) refuse_read(path, ENOMEM);
    gzbuffer(file_, 1 << 17);
  }
  ~GzipReader() { gzclose_r(file_); }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // The next bytes, at most `buffer.size()`; 0 at the end.
  size_t read(std::string& buffer) {
    const int count = gzread(file_, buffer.data(), static_cast<unsigned>(buffer.size()));
    int error = Z_OK;
    const char* message = gzerror(file_, &error);
    if (error == Z_ERRNO) refuse_read(path_, errno);
    // A stream that is cut short shows only as an error state beside the last bytes.
    if (count < 0 || (error != Z_OK && error != Z_STREAM_END))
      fail(ErrorKind::io, path_, std::string("is a damaged gzip file: ") + message);
    return static_cast<size_t>(count);
  }

 private:
  std::string path_;
  gzFile file_ = nullptr;
};

}  // namespace

std::string read_file(const std::string& path) {
  struct stat status {};
  const Descriptor descriptor(open_for_reading(path, status));
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  size_t filled = 0;
  while (true) {
    // The size of a pipe is not known beforehand, and a file may grow.
    if (filled == bytes.size()) bytes.resize(filled + 4096);
    const ssize_t count = ::read(descriptor.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse_read(path, errno);
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

Json read_json(const std::string& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const Json::parse_error& error) {
    fail(ErrorKind::type, path, std::string("is not JSON: ") + error.what());
  }
}

void for_each_line(const std::string& path, const std::function<void(int64_t, const std::string&)>& line) {
  GzipReader reader(path);
  std::string buffer(1 << 17, '\0');
  std::string text;
  int64_t number = 0;
  const auto finish = [&] {
    if (++number == 1 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    if (text.ends_with('\r')) text.pop_back();
    line(number, text);
    text.clear();
  };
  while (const size_t count = reader.read(buffer)) {
    std::string_view rest(buffer.data(), count);
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
      text += rest.substr(0, end);
      finish();
    }
    text += rest;
  }
  if (!text.empty()) finish();
}

std::vector<std::string> read_text_lines(const std::string& path) {
  std::vector<std::string> lines;
  for_each_line(path, [&](int64_t, const std::string& text) { lines.push_back(text); });
  return lines;
}

void create_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail(ErrorKind::io, path, "cannot be created: " + error.message());
}

void write_file_atomic(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_json(const std::string& path, const Json& value) {
  write_file_atomic(path, value.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_(path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::is_directory(status)) fail(ErrorKind::io, path, "is a folder, expected a file");
  int flags = O_WRONLY | O_CLOEXEC;
  if (!fs::exists(status) || fs::is_regular_file(status)) {
    // A link keeps pointing at the file that is replaced.
    const auto resolved = fs::weakly_canonical(path, error);
    if (!error) target_ = resolved.string();
    temporary_ = temporary_name(target_);
    ::unlink(temporary_.c_str());  // of a killed process that had our number
    flags |= O_CREAT | O_EXCL;
  }
  descriptor_ = ::open(temporary_.empty() ? target_.c_str() : temporary_.c_str(), flags, 0666);
  if (descriptor_ < 0) refuse(errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::refuse(int error) const {
  fail(ErrorKind::io, path_, std::string("cannot be written: ") + std::strerror(error));
}

void AtomicFile::write(const void* bytes, size_t count) {
  const auto* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, next, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse(errno);
    next += written;
    count -= static_cast<size_t>(written);
  }
}

void AtomicFile::commit() {
  if (descriptor_ < 0) bug("AtomicFile", "committed twice");
  if (!temporary_.empty()) {
    if (::fsync(descriptor_) != 0) refuse(errno);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) refuse(errno);
    sync_folder(fs::path(target_).parent_path().string());
  }
  ::close(descriptor_);
  descriptor_ = -1;
}

std::shared_ptr<MappedFile> MappedFile::open(const std::string& path) {
  struct stat status {};
  const Descriptor descriptor(open_for_reading(path, status));
  if (!S_ISREG(status.st_mode)) fail(ErrorKind::io, path, "is a device or a pipe, expected a file");
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  if (status.st_size == 0) return file;
  const auto size = static_cast<size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) refuse_read(path, errno);
  file->data_ = static_cast<uint8_t*>(address);
  file->size_ = size;
  return file;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, size_);
}

}  // namespace plaudit
