// Helpers for tests that read and write files.
#pragma once

#include <filesystem>
#include <string>

namespace plaudit::testing {

// An empty folder that is removed with its contents at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Writes a file, and the folders above it.
void write_bytes(const std::string& path, const std::string& bytes);

}  // namespace plaudit::testing
