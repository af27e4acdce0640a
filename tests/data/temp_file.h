// A file that lives as long as its object.
#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace plaudit {

class TempFile {
 public:
  // `name` gives the end of the path, such as ".jsonl".
  explicit TempFile(const std::string& name, std::string_view content = "") {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("plaudit-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + name);
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TempFile() { std::filesystem::remove(path_); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace plaudit
