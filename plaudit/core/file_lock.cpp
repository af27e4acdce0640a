#include "plaudit/core/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "plaudit/core/errors.h"

namespace plaudit {

std::optional<FileLock> FileLock::take(const std::string& path, bool wait) {
  std::error_code none;
  const bool folder = std::filesystem::is_directory(path, none);
  const int descriptor = ::open(path.c_str(), (folder ? O_RDONLY : O_CREAT | O_RDWR) | O_CLOEXEC, 0644);
  if (descriptor < 0) fail(ErrorKind::io, path, "cannot be created");
  FileLock lock(descriptor);
  while (::flock(descriptor, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) fail(ErrorKind::io, path, "cannot be locked");
  }
  return lock;
}

bool FileLock::is_taken(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const FileLock closes(descriptor);
  return ::flock(descriptor, LOCK_SH | LOCK_NB) != 0;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace plaudit
