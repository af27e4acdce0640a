#include "plaudit/run/versions.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <ctime>
#include <fstream>

#include "plaudit/core/files.h"
#include "plaudit/core/hash.h"

namespace plaudit {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace

const std::string& program_digest() {
  static const std::string digest = [] {
    uint64_t hash = hash64(read_file("/proc/self/exe"));
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&program_digest), &info) && info.dli_fname)
      hash = hash64(read_file(info.dli_fname), hash);
    return hex64(hash);
  }();
  return digest;
}

Json versions() {
  return {{"plaudit", PLAUDIT_VERSION},
          {"libtorch", TORCH_VERSION},
          {"compiler", __VERSION__},
          {"processor", processor()},
          {"threads", at::get_num_threads()},
          {"gpu", at::hasCUDA() ? "cuda" : "none"},
          {"started", time_text()}};
}

}  // namespace plaudit
