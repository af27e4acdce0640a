#include "plaudit/run/versions.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <ctime>
#include <fstream>

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
