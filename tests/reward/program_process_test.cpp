// The process tier: what CPython computes there, and what hostile programs cannot do.
#include "plaudit/reward/program_process.h"

#include <signal.h>

#include <filesystem>

#include "plaudit/core/errors.h"
#include "tests/reward/program_support.h"

namespace plaudit::testing {
namespace {

constexpr const char* kPython = ".venv/bin/python";

class ProgramProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kPython)) GTEST_SKIP() << "needs " << kPython;
  }

  struct Answer {
    std::string kind;
    int line;
    double reward;
    double seconds;
    bool gone;  // no child is left when the object is
  };

  static Answer ask(const std::string& source) {
    Answer answer{};
    pid_t pid = 0;
    {
      ProgramProcess process(source, table(), {kPython});
      pid = process.pid();
      std::vector<ProgramFrame> frames(3);
      std::vector<RewardOut> outs(3);
      const std::vector<double> actions = {0.1, -0.2, 0.7, 1, 2, 3, 4, 5, 6};
      const auto start = std::chrono::steady_clock::now();
      const auto bad = process.eval_batch(frames, actions, outs);
      answer.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      const auto& out = outs[static_cast<size_t>(bad < 0 ? 2 : bad)];
      answer.kind = to_string(out.error.kind);
      answer.line = out.error.line;
      answer.reward = out.reward;
    }
    answer.gone = pid <= 0 || kill(pid, 0) != 0;
    return answer;
  }
};

TEST_F(ProgramProcessTest, ComputesWhatTheInterpreterRefuses) {
  const auto body =
      "import numpy as np\n"
      "def compute_dense_reward(self, action):\n"
      "    i = 0\n"
      "    while i < 3:\n"
      "        i += 1\n"
      "    return i + np.linalg.svd(np.eye(2))[1].sum() + action.sum() + self.goal_height + "
      "self.check_grasp()\n";
  EXPECT_EQ(run(body).kind(), "forbidden");
  const auto answer = ask(body);
  EXPECT_EQ(answer.kind, "none");
  EXPECT_NEAR(answer.reward, 3 + 2 + 15 + 0.4 + 1, 1e-12);
  EXPECT_TRUE(answer.gone);
}

TEST_F(ProgramProcessTest, Errors) {
  EXPECT_EQ(ask("def compute_dense_reward(self, action):\n    return (1").kind, "syntax");
  EXPECT_EQ(ask("x = 1").kind, "signature");
  const auto name = ask(entry("x = 1\nreturn self.nothing"));
  EXPECT_EQ(name.kind, "name");
  EXPECT_EQ(name.line, 3);
  EXPECT_EQ(ask(entry("return action + np.ones(2)")).kind, "shape");
  EXPECT_EQ(ask(entry("return action")).kind, "return");
  EXPECT_EQ(ask(entry("return np.log(-1.0)")).kind, "value");
  EXPECT_EQ(ask(entry("return 1 / 0")).kind, "value");
}

TEST_F(ProgramProcessTest, HostileProgramsEndInAnError) {
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {"while True: pass", "fuel"},
      {"return open('/etc/passwd').read()", "forbidden"},
      {"import os\nos.system('true')", "forbidden"},
      {"import os\nos.fork()", "forbidden"},
      {"import os\nos.kill(os.getppid(), 9)", "forbidden"},
      {"import os\nos.write(2, b'x')", "forbidden"},
      {"import os\nos._exit(0)", "memory"},
      {"import socket\nsocket.socket()", "forbidden"},
      {"return len(bytearray(1 << 33))", "memory"},
      {"f = lambda: f()\nreturn f()", "fuel"},
      {"import mmap\nmmap.mmap(-1, 4096, prot=7)", "forbidden"},
      {"return ().__class__.__bases__[0].__subclasses__()", "return"}};
  for (const auto& [body, kind] : hostile) {
    const auto answer = ask(entry(body));
    EXPECT_EQ(answer.kind, kind) << body;
    EXPECT_LT(answer.seconds, 1) << body;
    EXPECT_TRUE(answer.gone) << body;
  }
}

TEST_F(ProgramProcessTest, RefusesWithoutPython) {
  try {
    ProgramProcess process(entry("return 1"), {}, {"/nonexistent/python"});
    FAIL() << "started";
  } catch (const UserError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
  }
}

}  // namespace
}  // namespace plaudit::testing
