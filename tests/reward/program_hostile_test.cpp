// Programs that mean harm, and text that is no program: each ends in a named error, soon and in little
// memory.
#include <random>

#include "tests/reward/program_support.h"

namespace plaudit::testing {
namespace {

std::string repeat(const std::string& text, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}

struct Hostile {
  std::string body;
  std::string kind;
};

std::vector<Hostile> hostile() {
  return {{"while True: pass", "forbidden"},
          {"for i in range(10 ** 9):\n    pass", "fuel"},
          {"for i in range(10 ** 15): pass", "fuel"},
          {"return sum(range(10 ** 9))", "fuel"},
          {"return len([i for i in range(10 ** 9)])", "fuel"},
          {"return len(list(range(10 ** 9)))", "memory"},
          {"for i in range(1000):\n    for j in range(1000):\n        for k in range(1000): pass", "fuel"},
          {"f = lambda g: g(g)\nreturn f(f)", "fuel"},
          {"f = lambda n: f(n + 1)\nreturn f(0)", "fuel"},
          {"xs = [0]\nfor x in xs: xs += [0]\nreturn 1", "fuel"},
          {"x = [0]\nfor i in range(10 ** 6): x = [x, x]\nreturn 1", "memory"},
          {"x = [0]\nfor i in range(60): x = [x, x]\nreturn x == x + []", "fuel"},
          {"x = [0]\ny = [0]\nfor i in range(40):\n    x = [x, x]\n    y = [y, y]\nreturn x == y", "fuel"},
          {"x = [0]\nx[0] = x\ny = [0]\ny[0] = y\nreturn x == y", "fuel"},
          {"x = [0]\nfor i in range(40): x = x + x\nreturn 1", "memory"},
          {"return len([0] * 10 ** 9)", "memory"},
          {"return len([[0] * 60000 for i in range(1000)])", "memory"},
          {"return len([np.zeros(60000) for i in range(1000)])", "memory"},
          {"return np.eye(60000)", "memory"},
          {"return np.zeros(10 ** 12)", "memory"},
          {"return np.zeros((10 ** 9, 10 ** 9))", "memory"},
          {"return np.arange(1e300)", "memory"},
          {"return np.linspace(0, 1, 10 ** 12)", "memory"},
          {"x = np.ones(60000)\nfor i in range(1000): x = x * 1.0001\nreturn 1", "fuel"},
          {"x = np.ones((250, 250))\nfor i in range(9): x = x @ x\nreturn 1", "fuel"},
          {"return np.outer(np.ones(60000), np.ones(60000))", "memory"},
          {"return cdist(np.ones((60000, 1)), np.ones((60000, 1)))", "fuel"},
          {"return 'a' * 10 ** 9", "type"},
          {"return 'a'.format(action)", "name"},
          {"return '{0.__class__}'.format(1)", "name"},
          {"return f'{action}'", "forbidden"},
          {"return '%99999999d' % 1", "type"},
          {"return 9 ** 9 ** 9", "value"},
          {"return 10 ** 400", "value"},
          {"return " + repeat("9", 30000), "value"},
          {"return " + repeat("(", 1000) + "1" + repeat(")", 1000), "syntax"},
          {"return " + repeat("[", 63000), "syntax"},
          {"return " + repeat("-", 50000) + "1", "syntax"},
          {"return " + repeat("not ", 10000) + "1", "syntax"},
          {"return " + repeat("lambda: ", 5000) + "1", "syntax"},
          {"return 1" + repeat(" ** 1", 9000), "syntax"},
          {"return 1" + repeat(" if 1 else 1", 4000), "syntax"},
          {"return action" + repeat("[0]", 9000), "syntax"},
          {"return action" + repeat(".T", 9000), "syntax"},
          {"return " + repeat("x", 70000), "syntax"},
          {"return " + repeat("x", 60000), "name"},
          {"open('/etc/passwd')", "name"},
          {"exec('1')", "name"},
          {"eval('1')", "name"},
          {"return getattr(self, 'x')", "name"},
          {"return globals()", "name"},
          {"return type(self)", "name"},
          {"return vars()", "name"},
          {"return __builtins__", "forbidden"},
          {"return ().__class__.__bases__[0].__subclasses__()", "forbidden"},
          {"return self.__init__.__globals__", "forbidden"},
          {"return (lambda: 0).__code__", "forbidden"},
          {"return np.__loader__", "forbidden"},
          {"return np.load('x')", "name"},
          {"return np.fromfile('/etc/passwd')", "name"},
          {"return np.lib", "name"},
          {"return math.os", "name"},
          {"import socket", "forbidden"},
          {"import ctypes", "forbidden"},
          {"from os import system", "forbidden"},
          {"return __import__('os').system('true')", "forbidden"},
          {"self.x = 1\nreturn 1", "forbidden"},
          {"np.pi = 3\nreturn 1", "forbidden"},
          {"\xEF\xBD\x93\xEF\xBD\x85\xEF\xBD\x8C\xEF\xBD\x86 = 1\nreturn 1", "forbidden"},
          {"return \xE2\x88\x9E", "syntax"},
          {std::string("return 1\0", 9), "syntax"},
          {"return \xFF\xFE", "syntax"},
          {"x = zip()\nfor i in range(100): x = zip(x)\nfor i in x: pass\nreturn 1", "fuel"},
          {"x = enumerate([1])\nfor i in range(100): x = enumerate(x)\nreturn 1", "fuel"},
          {"d = {}\nfor i in range(10 ** 6): d[i] = i\nreturn 1", "fuel"},
          {"return round(1e308, -308) + round(1.0, 10 ** 15) + round(1.7e308, -308)", "value"}};
}

TEST(ProgramHostile, EveryOneEndsInItsError) {
  EXPECT_GE(hostile().size(), 40u);
  for (const auto& [body, kind] : hostile()) {
    const auto outcome = run(entry(body));
    EXPECT_EQ(outcome.kind(), kind) << body.substr(0, 100) << "\n" << outcome.error.text().substr(0, 400);
    EXPECT_LT(outcome.seconds, 1) << body.substr(0, 100);
    EXPECT_LE(outcome.out.peak_bytes, size_t{4} << 20);
    EXPECT_GT(outcome.error.line, 0);
    // With the wall guard on, no later than without it.
    const auto guarded = run(entry(body), {});
    EXPECT_NE(guarded.kind(), "none") << body.substr(0, 100);
    EXPECT_LT(guarded.seconds, 0.5) << body.substr(0, 100);
  }
}

TEST(ProgramHostile, LeavesNothingBehind) {
  const auto good = entry("return action.sum()");
  const auto before = run(good);
  for (const auto& [body, kind] : hostile()) run(entry(body));
  const auto after = run(good);
  EXPECT_EQ(after.kind(), "none");
  EXPECT_EQ(after.out.reward, before.out.reward);
  EXPECT_EQ(after.out.fuel_used, before.out.fuel_used);
  EXPECT_EQ(after.out.peak_bytes, before.out.peak_bytes);
}

TEST(ProgramHostile, LongLaddersAndChainsAreFine) {
  EXPECT_EQ(run(entry("return 0" + repeat(" + 1", 5000))).out.reward, 5000);
  EXPECT_EQ(run(entry("return 1" + repeat(" and 1", 5000))).out.reward, 1);
  std::string ladder = "if False: return 0\n";
  for (int i = 0; i < 2000; ++i) ladder += "elif False: return 1\n";
  EXPECT_EQ(run(entry(ladder + "else: return 7")).out.reward, 7);
  EXPECT_EQ(run(entry("x = [0]\nfor i in range(20000): x = [x]\nx = 0\nreturn 1")).out.reward, 1);
}

// Random text of the alphabet of programs.
TEST(ProgramFuzz, RandomText) {
  static const std::vector<std::string> words = {"def ",        "compute_dense_reward",
                                                 "(",           ")",
                                                 "[",           "]",
                                                 "{",           "}",
                                                 ":",           ",",
                                                 "=",           "+",
                                                 "-",           "*",
                                                 "**",          "/",
                                                 "//",          "%",
                                                 "@",           "<",
                                                 "==",          "if ",
                                                 "else ",       "elif ",
                                                 "for ",        "in ",
                                                 "range",       "lambda ",
                                                 "return ",     "self",
                                                 "action",      "np",
                                                 ".",           "sum",
                                                 "x",           "y",
                                                 "0",           "1",
                                                 "2.5",         "1e308",
                                                 "'a'",         "\"\"\"",
                                                 "\n",          "\n    ",
                                                 "\n        ",  " ",
                                                 "\t",          "\\\n",
                                                 "#c\n",        "not ",
                                                 "and ",        "or ",
                                                 "None",        "True",
                                                 "import ",     "from ",
                                                 "math",        "__x",
                                                 "\xC3\xA9",    "\xE2\x82\xAC",
                                                 "\xFF",        ";",
                                                 "+=",          "->",
                                                 ":=",          "~",
                                                 "f'{'",        "array",
                                                 "zeros",       "T",
                                                 "reshape",     "axis=",
                                                 "linalg.norm", "break",
                                                 "continue"};
  std::mt19937 random(7);
  for (int i = 0; i < 4000; ++i) {
    std::string text = i % 2 ? "def compute_dense_reward(self, action):\n    " : "";
    const auto n = random() % 40;
    for (unsigned k = 0; k < n; ++k) text += words[random() % words.size()];
    const auto outcome = run(text, {20000, 0});
    ASSERT_LT(outcome.seconds, 1) << text;
    ASSERT_FALSE(outcome.kind() != "none" && outcome.error.line < 1) << text;
  }
}

TEST(ProgramFuzz, MutatedPrograms) {
  const std::vector<std::string> seeds = {
      entry("w, v = 0.4, 0.2\nr = 0.0\nd = np.linalg.norm(self.gripper.position - self.cube.position)\nr += "
            "-w * d\n"
            "if self.check_grasp():\n    r += v\nfor i, a in enumerate(action):\n    if i == 1: continue\n   "
            " r -= a ** 2\nreturn r"),
      entry("p = np.array([[1.0, -2.0], [3.0, 4.0]])\nq = p.T[::-1, 1:].reshape(-1)\nq[0] += 2\n"
            "f = lambda x, lo, hi: np.clip((x - lo) / (hi - lo), 0, 1)\nxs = [f(a, -1, 1) for a in action if "
            "a > 0]\n"
            "t = {'a': sum(xs), 'b': p.mean(0)[1] @ 1 if False else max(xs)}\nreturn t['a'] + q.sum(), t"),
      entry("a = np.vstack([action, action * 2])\nb = np.where(a > 0, a, -a)\nc = cdist(a, b).min(axis=-1)\n"
            "return np.round(c.mean(), 2) + np.outer(c, c).trace if False else len(c) // 2 % 3")};
  std::mt19937 random(11);
  int valid = 0;
  for (int i = 0; i < 6000; ++i) {
    auto text = seeds[random() % seeds.size()];
    for (auto k = 1 + random() % 4; k > 0; --k) {
      const auto at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, 1 + random() % 6);
          break;
        case 1:
          text.insert(at, text.substr(random() % text.size(), random() % 12));
          break;
        case 2:
          text[at] = static_cast<char>(random() % 128);
          break;
        default:
          text[at] = "0123456789-*()[]:,."[random() % 19];
          break;
      }
      if (text.empty()) text = "x";
    }
    const auto outcome = run(text, {50000, 0});
    ASSERT_LT(outcome.seconds, 1) << text;
    valid += outcome.kind() == "none";
  }
  EXPECT_GT(valid, 50);  // mutations that change meaning, not only syntax
}

}  // namespace
}  // namespace plaudit::testing
