// A killed run continues bit for bit: a child process is killed at random moments and started again.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "plaudit/core/rng.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/train/checkpoint.h"
#include "tests/train/folder.h"

extern char** environ;

namespace plaudit {
namespace {

pid_t start_child(const std::string& folder) {
  std::string program = PLAUDIT_TOY_CHILD, argument = folder;
  char* arguments[] = {program.data(), argument.data(), nullptr};
  pid_t pid = 0;
  EXPECT_EQ(posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ), 0);
  return pid;
}

int64_t newest_step(const std::string& folder) {
  const auto files = list_checkpoints(folder);
  return files.empty() ? 0 : files.front().step;
}

// Lets the child get at least one step further, then a random moment more, and kills it.
bool run_and_kill(const std::string& folder, Rng& rng) {
  const auto before = newest_step(folder);
  const auto pid = start_child(folder);
  int status = 0;
  while (newest_step(folder) <= before) {
    if (waitpid(pid, &status, WNOHANG) == pid) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::microseconds(rng.below(200000)));
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status);
}

std::map<std::string, at::Tensor> finish(const std::string& folder) {
  int status = 0;
  waitpid(start_child(folder), &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(newest_step(folder), 200);
  return load_safetensors(list_checkpoints(folder).front().path).tensors;
}

TEST(Resume, BitForBitAfterKillsAtRandomMoments) {
  const TestFolder killed("resume-killed"), whole("resume-whole");
  Rng rng(static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()), "moments");
  int kills = 0;
  while (kills < 4 && run_and_kill(killed.path(), rng)) ++kills;
  EXPECT_GE(kills, 2);
  const auto resumed = finish(killed.path()), uninterrupted = finish(whole.path());
  ASSERT_EQ(resumed.size(), uninterrupted.size());
  for (const auto& [name, tensor] : uninterrupted)
    EXPECT_TRUE(at::equal(tensor, resumed.at(name))) << name << " differs after " << kills << " kills";
}

}  // namespace
}  // namespace plaudit
