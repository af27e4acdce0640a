#include "bench/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/model/resolve.h"

namespace plaudit::bench {
namespace {

namespace fs = std::filesystem;

// Exit status of the program; 127 when it could not be started.
int wait_for(const std::vector<std::string>& command, int threads, const std::string& log) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const auto count = std::to_string(threads);
  const pid_t child = fork();
  if (child < 0) fail(ErrorKind::io, command[0], "cannot be started");
  if (child == 0) {
    const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    setenv("OMP_NUM_THREADS", count.c_str(), 1);
    setenv("TOKENIZERS_PARALLELISM", "false", 1);
    setenv("HF_HUB_OFFLINE", "1", 1);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  auto name = (fs::temp_directory_path() / "plaudit-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) fail(ErrorKind::io, name, "cannot be created");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void run_process(const std::vector<std::string>& command, int threads, const std::string& log) {
  const int status = wait_for(command, threads, log);
  if (status == 0) return;
  const auto text = fs::exists(log) ? read_file(log) : std::string();
  fail(ErrorKind::io, fmt::format("{}", fmt::join(command, " ")),
       fmt::format("ended with status {}:\n{}", status,
                   text.substr(text.size() - std::min<size_t>(text.size(), 1500))));
}

std::string program_folder() {
  return fs::read_symlink("/proc/self/exe").parent_path().string();
}

std::string python_with(const std::vector<std::string>& modules) {
  const TemporaryFolder folder;
  for (const auto& site : site_packages()) {
    // ENVIRONMENT/lib/python3.x/site-packages
    const auto python = fs::path(site).parent_path().parent_path().parent_path() / "bin" / "python";
    if (!fs::exists(python)) continue;
    const auto import = fmt::format("import {}", fmt::join(modules, ", "));
    if (wait_for({python.string(), "-c", import}, 1, folder.file("log")) == 0) return python.string();
  }
  return "";
}

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace plaudit::bench
