#include "tests/support/files.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace plaudit::testing {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
  // In memory where that is possible: some tests write thousands of small files.
  const fs::path memory = "/dev/shm";
  const auto parent = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
  std::string name = (parent / "plaudit-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder in " + parent.string());
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  fs::remove_all(path_);
}

void write_bytes(const std::string& path, const std::string& bytes) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace plaudit::testing
