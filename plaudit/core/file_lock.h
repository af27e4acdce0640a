// Locks between processes.
#pragma once

#include <optional>
#include <string>

namespace plaudit {

// An advisory lock on a file, or on a folder, for as long as the object lives; it ends with the process,
// whatever ends that.
class FileLock {
 public:
  // A file that is missing is created. nullopt: another process, or another lock of this one, holds it and
  // `wait` is false. UserError (io): it can be neither opened nor created.
  static std::optional<FileLock> take(const std::string& path, bool wait = false);
  // Whether one is held on a file that exists.
  static bool is_taken(const std::string& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace plaudit
