// Every kind of error, with its line, and what a language model is shown.
#include "tests/reward/program_support.h"

namespace plaudit::testing {
namespace {

struct Faulty {
  const char* body;
  const char* kind;
  int line;  // of the program: the body starts at 2
};

class ProgramFaults : public ::testing::TestWithParam<Faulty> {};

TEST_P(ProgramFaults, KindAndLine) {
  expect_fault(GetParam().body, GetParam().kind, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, ProgramFaults,
    ::testing::Values(Faulty{"return (1\nx = 2", "syntax", 2}, Faulty{"return 1 +", "syntax", 2},
                      Faulty{"x = 'abc\nreturn 1", "syntax", 2}, Faulty{"if True:\nreturn 1", "syntax", 3},
                      Faulty{"return 1\n  return 2", "syntax", 3}, Faulty{"break", "syntax", 2},
                      Faulty{"1 = x", "syntax", 2}, Faulty{"return f(a=1, 2)", "syntax", 2},
                      Faulty{"return f(a=1, a=2)", "syntax", 2}, Faulty{"return 1)", "syntax", 2},
                      Faulty{"return 1 $ 2", "syntax", 2},
                      Faulty{"x = lambda a, a: 1\nreturn 1", "syntax", 2},
                      Faulty{"while True\n    pass", "syntax", 2},
                      Faulty{"import os\nreturn (", "syntax", 3}));

INSTANTIATE_TEST_SUITE_P(
    Forbidden, ProgramFaults,
    ::testing::Values(
        Faulty{"x = 1\nwhile x: x = 0\nreturn x", "forbidden", 3},
        Faulty{"try:\n    x = 1\nexcept: pass\nreturn 1", "forbidden", 2},
        Faulty{"with x as y:\n    pass", "forbidden", 2}, Faulty{"def f(): pass\nreturn 1", "forbidden", 2},
        Faulty{"match action:\n    case 1:\n        pass\n    case _: pass\nreturn 1", "forbidden", 2},
        Faulty{"match (1): pass", "syntax", 2}, Faulty{"match = 1\nmatch += 1\nreturn match.x", "name", 4},
        Faulty{"class A: pass", "forbidden", 2}, Faulty{"import os", "forbidden", 2},
        Faulty{"global x", "forbidden", 2}, Faulty{"del action", "forbidden", 2},
        Faulty{"assert 1", "forbidden", 2}, Faulty{"raise x", "forbidden", 2},
        Faulty{"x: float = 1.0\nreturn x", "forbidden", 2}, Faulty{"return f'{1}'", "forbidden", 2},
        Faulty{"return sum(x for x in [1])", "forbidden", 2}, Faulty{"return {1, 2}", "forbidden", 2},
        Faulty{"return {k: 1 for k in [1]}", "forbidden", 2}, Faulty{"return 1 & 2", "forbidden", 2},
        Faulty{"return ~1", "forbidden", 2}, Faulty{"return 1 in [1]", "forbidden", 2},
        Faulty{"return (x := 1)", "forbidden", 2}, Faulty{"return max(*[1, 2])", "forbidden", 2},
        Faulty{"a, *b = [1, 2]\nreturn a", "forbidden", 2}, Faulty{"return 1j", "forbidden", 2},
        Faulty{"yield 1", "forbidden", 2}, Faulty{"return action[...]", "forbidden", 2},
        Faulty{"self.goal_height = 1\nreturn 1", "forbidden", 2},
        Faulty{"self.points[0] = 1\nreturn 1", "forbidden", 2},
        Faulty{"self.points[0, 1] += 1\nreturn 1", "forbidden", 2},
        Faulty{"self = 1\nreturn 1", "forbidden", 2}, Faulty{"return self.__dict__", "forbidden", 2},
        Faulty{"return __import__('os')", "forbidden", 2},
        Faulty{"return action.__class__.__mro__", "forbidden", 2},
        Faulty{"\xC3\xA9 = 1\nreturn 1", "forbidden", 2}));

INSTANTIATE_TEST_SUITE_P(
    Names, ProgramFaults,
    ::testing::Values(
        Faulty{"return open('x')", "name", 2}, Faulty{"return np.linalg.svd(action)", "name", 2},
        Faulty{"return np.random.rand()", "name", 2}, Faulty{"return math.comb(3, 2)", "name", 2},
        Faulty{"return self.gripper.width", "name", 2}, Faulty{"return self.gripper", "name", 2},
        Faulty{"return self.points.foo", "name", 2}, Faulty{"return action.tolist()", "name", 2},
        Faulty{"xs = []\nxs.append(1)\nreturn 1", "name", 3}, Faulty{"return [1].sum()", "name", 2},
        Faulty{"if False: x = 1\nreturn x", "name", 3}, Faulty{"x += 1\nreturn x", "name", 2}));

INSTANTIATE_TEST_SUITE_P(
    Types, ProgramFaults,
    ::testing::Values(Faulty{"return self.check_grasp", "type", 2},
                      Faulty{"return self.goal_height()", "type", 2},
                      Faulty{"return 'a' * 1000000000", "type", 2}, Faulty{"return '%s' % 1", "type", 2},
                      Faulty{"return 'a' + 1", "type", 2}, Faulty{"x = 1\nreturn x(2)", "type", 3},
                      Faulty{"x = 1\nfor i in x: pass\nreturn x", "type", 3},
                      Faulty{"return abs(1, 2)", "type", 2}, Faulty{"return np.sum()", "type", 2},
                      Faulty{"return np.clip(1)", "type", 2}, Faulty{"return np.sum([1], foo=2)", "type", 2},
                      Faulty{"f = lambda x: x\nreturn f()", "type", 3}, Faulty{"return [1] - [2]", "type", 2},
                      Faulty{"return action[0.5]", "type", 2}, Faulty{"return action['a']", "type", 2},
                      Faulty{"x = np\nreturn 1", "type", 2}, Faulty{"f = action.sum\nreturn 1", "type", 2},
                      Faulty{"return math.sin(action)", "type", 2}, Faulty{"return {[1]: 2}", "type", 2},
                      Faulty{"return (1, 2)[0](3)", "type", 2}, Faulty{"return 1 @ 2", "type", 2},
                      Faulty{"x = (1, 2)\nx[0] = 3\nreturn 1", "type", 3},
                      Faulty{"return None + 1", "type", 2}, Faulty{"return action.astype(int)", "type", 2},
                      Faulty{"a, b = 1\nreturn a", "type", 2}));

INSTANTIATE_TEST_SUITE_P(Shapes, ProgramFaults,
                         ::testing::Values(Faulty{"return (action +\n  [1, 2])", "shape", 2},
                                           Faulty{"return action @ [1, 2]", "shape", 2},
                                           Faulty{"return action.reshape(2, 2)", "shape", 2},
                                           Faulty{"return np.array([[1], [1, 2]])", "shape", 2},
                                           Faulty{"return np.zeros((2, 2, 2))", "shape", 2},
                                           Faulty{"return np.vstack([[1], [1, 2]])", "shape", 2},
                                           Faulty{"action += self.points\nreturn 1", "shape", 2},
                                           Faulty{"action[:2] = [1, 2, 3]\nreturn 1", "shape", 2},
                                           Faulty{"return np.array([[[1]]])", "shape", 2},
                                           Faulty{"return cdist(action, action)", "shape", 2}));

INSTANTIATE_TEST_SUITE_P(
    Values, ProgramFaults,
    ::testing::Values(
        Faulty{"return action[3]", "value", 2}, Faulty{"return action[0, 0]", "value", 2},
        Faulty{"return [1][-2]", "value", 2}, Faulty{"return {'a': 1}['b']", "value", 2},
        Faulty{"a, b = action\nreturn a", "value", 2}, Faulty{"a, b = [1]\nreturn a", "value", 2},
        Faulty{"return max([])", "value", 2}, Faulty{"return np.min([])", "value", 2},
        Faulty{"if action: pass\nreturn 1", "value", 2}, Faulty{"return not action", "value", 2},
        Faulty{"return 1 // 0", "value", 2}, Faulty{"return 1 % 0.0", "value", 2},
        Faulty{"return 0 ** -1", "value", 2}, Faulty{"return 10.0 ** 400", "value", 2},
        Faulty{"return (-8) ** (1 / 3)", "value", 2}, Faulty{"return math.sqrt(-1)", "value", 2},
        Faulty{"return math.exp(1000)", "value", 2}, Faulty{"x = np.exp(1000)\nreturn x", "value", 3},
        Faulty{"return np.linalg.norm(self.points, 2)", "value", 2},
        Faulty{"return np.sum(action, axis=1)", "value", 2}, Faulty{"return action[::0]", "value", 2},
        Faulty{"return range(1, 2, 0)", "value", 2}, Faulty{"return int(np.inf)", "value", 2},
        Faulty{"return 1.0, {'a': np.nan_ if False else np.log(-1)}", "name", 2},
        Faulty{"return 1.0, {'a': np.log(-1)}", "value", 2}));

INSTANTIATE_TEST_SUITE_P(Returns, ProgramFaults,
                         ::testing::Values(Faulty{"return action", "return", 2},
                                           Faulty{"return None", "return", 2}, Faulty{"return", "return", 2},
                                           Faulty{"x = 1", "return", 1}, Faulty{"return 1, 2", "return", 2},
                                           Faulty{"return 'a'", "return", 2},
                                           Faulty{"return 1, {'a': action}", "return", 2},
                                           Faulty{"return 1, {1: 2}", "return", 2},
                                           Faulty{"f = lambda: 1\nf()", "return", 1}));

TEST(ProgramFaultsAcrossFunctions, Lines) {
  const std::string tail = "def compute_dense_reward(self, action):\n    return f(1)\n";
  EXPECT_EQ(run("def f(x):\n    return f(x)\n" + tail).kind(), "fuel");
  EXPECT_EQ(run("\ndef f(x):\n    return f(x)\n" + tail).error.line, 2);
  EXPECT_EQ(run("f = lambda x: f(x)\n" + tail).kind(), "fuel");
  EXPECT_EQ(
      run("def f(x):\n    return 1\n    x = 2\ndef compute_dense_reward(self, action):\n    f(1)\n").kind(),
      "return");
  EXPECT_EQ(run("def f(n):\n    return 0 if n == 0 else f(n - 1)\ndef compute_dense_reward(self, action):\n  "
                "  return f(14)\n")
                .kind(),
            "none");
}

TEST(ProgramFaultsAtModuleLevel, Kinds) {
  const auto kind = [](const std::string& head) { return run(head + "\n" + entry("return 1")).kind(); };
  EXPECT_EQ(kind("import numpy"), "forbidden");
  EXPECT_EQ(kind("from numpy import sin"), "forbidden");
  EXPECT_EQ(kind("from math import *"), "forbidden");
  EXPECT_EQ(kind("from math import foo"), "name");
  EXPECT_EQ(kind("from . import x"), "forbidden");
  EXPECT_EQ(kind("@f\ndef g(): pass"), "forbidden");
  EXPECT_EQ(kind("def g(*args): pass"), "forbidden");
  EXPECT_EQ(kind("for i in range(3): pass"), "forbidden");
  EXPECT_EQ(kind("print('x')"), "name");
  EXPECT_EQ(kind("x = 1 / 0"), "value");
  EXPECT_EQ(run("").kind(), "signature");
  EXPECT_EQ(run("def compute_dense_reward(self): pass").kind(), "signature");
  EXPECT_EQ(run("def compute_dense_reward(env, action): pass").kind(), "signature");
  EXPECT_EQ(run("def compute_dense_reward(self, a, b, c): pass").kind(), "signature");
  EXPECT_EQ(run("import os\nx = (").kind(), "syntax");
}

TEST(ProgramErrorText, NamesLineCaretAndNeighbours) {
  const auto outcome = run(entry("r = 1\nreturn r + self.gripper.positon"));
  EXPECT_EQ(outcome.error.text(),
            "ERROR name at line 3\n    return r + self.gripper.positon\n               ^\n"
            "there is no binding 'self.gripper.positon'. Nearest legal names: self.gripper.position.\n");
  const auto shapes = run(entry("return action + self.gripper.position")).error.text();
  EXPECT_NE(shapes.find("(3,)"), std::string::npos) << shapes;
  EXPECT_NE(shapes.find("(2,)"), std::string::npos) << shapes;
}

}  // namespace
}  // namespace plaudit::testing
