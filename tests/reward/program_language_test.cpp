// Every construct of the language, against what CPython and NumPy give.
#include <cmath>
#include <thread>

#include "tests/reward/program_support.h"

namespace plaudit::testing {
namespace {

struct Example {
  const char* body;
  double expected;
};

class Examples : public ::testing::TestWithParam<Example> {};

TEST_P(Examples, AgreesWithPython) {
  EXPECT_NEAR(value_of(GetParam().body), GetParam().expected, 1e-9) << GetParam().body;
}

INSTANTIATE_TEST_SUITE_P(
    Statements, Examples,
    ::testing::Values(
        Example{"a = b = 2.0\nreturn a + b", 4},
        Example{"a, (b, c) = 1, (2, 3)\nreturn a + 10 * b + 100 * c", 321},
        Example{"a, b = 1, 2\na, b = b, a\nreturn a - b", 1},
        Example{"x = 5; x -= 2; x *= 4; x /= 3\nreturn x", 4},
        Example{"x = 7\nx //= 2\nx **= 2\nx %= 5\nreturn x", 4},
        Example{"x = np.zeros(3)\nx[1] = 2\nx[0] += 1\nx[1:] += 1\nreturn x.sum()", 5},
        Example{"x = np.zeros((2, 3))\nx[0] = 1\nx[:, 1] = 5\nx[1, -1] = 2\nreturn x.sum()", 14},
        Example{"xs = [1, 2]\nxs += [3]\nxs[0] = 9\nreturn sum(xs)", 14},
        Example{"d = {'a': 1}\nd['b'] = 2\nd['a'] += 5\nreturn d['a'] * d['b']", 12},
        Example{"if action[0] > 1:\n    return 1\nelif action[0] > 0:\n    return 2\nelse:\n    return 3", 2},
        Example{
            "r = 0\nfor i in range(10):\n    if i == 3: continue\n    if i == 6: break\n    r += i\nreturn r",
            12},
        Example{
            "r = 0\nfor i, (a, b) in enumerate(zip([1, 2], [3, 4]), start=1):\n    r += i * a * b\nreturn r",
            19},
        Example{"r = 0\nfor row in self.points:\n    r += row[0] * row[2]\nreturn r", 27},
        Example{"r = 0\nfor i in range(5, 0, -2):\n    r = 10 * r + i\nreturn r", 531},
        Example{"\"\"\"doc\"\"\"\npass\nreturn (1 +\n  2)  # three", 3},
        Example{"return 1 if False else 2 if False else 3", 3}));

INSTANTIATE_TEST_SUITE_P(
    Operators, Examples,
    ::testing::Values(
        Example{"return -7 // 2", -4}, Example{"return 7 // -2", -4}, Example{"return -7 % 3", 2},
        Example{"return 7 % -3", -2}, Example{"return -7.5 % 2", 0.5}, Example{"return 2 ** 3 ** 2", 512},
        Example{"return -2 ** 2", -4}, Example{"return 2 ** -1", 0.5}, Example{"return (-8) ** 3", -512},
        Example{"return 1 < 2 < 3", 1}, Example{"return 1 < 3 < 2", 0}, Example{"return 3 > 2 != 1", 1},
        Example{"return 0 or 5", 5}, Example{"return 0 and 1 / 0", 0}, Example{"return 1 or 1 / 0", 1},
        Example{"return not []", 1}, Example{"return (True + True) * 3", 6}, Example{"return +True", 1},
        Example{"return len([1] * 3 + [2])", 4}, Example{"return ([1, 2] == [1, 2]) + ('a' != 'b')", 2},
        Example{"return (None == None) + (None == 0)", 1},
        Example{"return np.eye(2) @ [1, 2] @ np.array([3, 4])", 11},
        Example{"return 0x10 + 1_000 + .5 + 1e-1", 1016.6}, Example{"return {'a': 1, 'a': 2}['a']", 2},
        Example{"return (lambda x, k=2: x * k)(3) + 0", 6}));

INSTANTIATE_TEST_SUITE_P(
    Functions, Examples,
    ::testing::Values(Example{"return sum([x * y for x in range(3) for y in range(3) if x != y])", 4},
                      Example{"fs = [lambda: i for i in range(3)]\nreturn fs[0]()", 2},
                      Example{"k = 1\nf = lambda x: x + k\nk = 10\nreturn f(1)", 11},
                      Example{"f = np.sum\nreturn f([1, 2])", 3},
                      Example{"return max(1, 3, 2) + min([4, 2]) + abs(-3)", 8},
                      Example{"return round(2.5) + round(3.5) + round(-0.5)", 6},
                      Example{"return round(2.675, 2) + round(1234.5, -2)", 1202.67},
                      Example{"return int(-2.7) + float(3) + bool([0])", 2},
                      Example{"return any([0, 1]) + all([1, 0]) + all([])", 2},
                      Example{"return len(tuple(range(4)) + (1,))", 5},
                      Example{"return list(zip([1, 2], [3, 4]))[1][0]", 2},
                      Example{"return math.hypot(3, 4) + math.floor(-1.5)", 3},
                      Example{"return sum([[1], [2]], [])[1]", 2}, Example{"return math.log(8, 2)", 3}));

INSTANTIATE_TEST_SUITE_P(
    Arrays, Examples,
    ::testing::Values(
        Example{"return np.linalg.norm(self.points)", std::sqrt(91)},
        Example{"return np.linalg.norm(self.points, 1)", 9},
        Example{"return np.linalg.norm(self.points, np.inf)", 15},
        Example{"return np.linalg.norm(self.points, axis=1)[0]", std::sqrt(14)},
        Example{"return np.linalg.norm([3, -4], ord=1)", 7}, Example{"return self.points.T[2, 1]", 6},
        Example{"return self.points.mean(0)[1] + self.points.sum(axis=-1)[0]", 9.5},
        Example{"return self.points.reshape(3, 2)[2, 0] + self.points.reshape(-1).max()", 11},
        Example{"return self.points.shape[1] + self.points.size", 9}, Example{"return np.clip(5, 3, 1)", 1},
        Example{"return np.std([1, 2, 3, 4]) ** 2 + np.var([1, 2, 3, 4], ddof=1)", 1.25 + 5.0 / 3},
        Example{"return np.where(np.array([1, -1]) > 0, 5, [6, 7]).sum()", 12},
        Example{"return np.cross([1, 0, 0], [0, 1, 0])[2] + np.cross([1, 2], [3, 4])", -1},
        Example{"return np.outer([1, 2], [3, 4])[1, 0] + np.trace(np.eye(3))", 9},
        Example{
            "return np.concatenate([[1, 2], [3]]).sum() + np.hstack([1, 2])[1] + np.vstack([[1], [2]])[1, 0]",
            10},
        Example{"return np.stack([[1, 2], [3, 4]], axis=1)[0, 1]", 3},
        Example{"return np.linspace(0, 1, 5)[3]", 0.75},
        Example{"return np.arange(1, 2, 0.25)[-1] + len(np.arange(3))", 4.75},
        Example{"return np.argmax([1, 5, 5]) + np.argmin([3, 1, 2])", 2},
        Example{"return np.round(2.5) + np.floor(-0.5)", 1},
        Example{"a = np.arange(5.0)\nreturn a[::-1][0] + a[-3:-1].sum() + a[10:].size", 9},
        Example{"a = np.arange(3)\nreturn (a[:, np.newaxis] + a[None, :])[2, 1]", 3},
        Example{"a = np.arange(4.0)\na[1:] += a[:-1]\nreturn a[3]", 5},
        Example{"a = np.zeros(2)\nb = np.asarray(a)\nc = np.array(a)\nb[0] = 1\nc[1] = 1\nreturn a.sum()", 1},
        Example{"m = np.zeros((2, 2))\nm.T[0, 1] = 3\nreturn m[1, 0]", 3},
        Example{"return np.array([1.0, 0]).max() / np.array([0.0])[0] if False else np.isclose(1, 1 + 1e-9)",
                1},
        Example{"x = np.array([1.0, -1.0]) / 0\nreturn np.isfinite(x).sum() + np.any(x > 0)", 1},
        Example{"return np.isnan(np.sqrt(np.array([-1.0]))).sum() + np.isnan(np.log(-1))", 2},
        Example{"return np.array([7, -7]) // 2 @ [1, 10] + (np.array([7, -7]) % 3 @ [1, 10])",
                3 - 40 + 1 + 20},
        Example{"return cdist([[0, 0]], [[3, 4]])[0, 0] + sdist.cosine([1, 0], [0, 1])", 6}));

TEST(ProgramLanguage, ModuleLevel) {
  const auto outcome =
      run("\"\"\"doc\"\"\"\nimport numpy as np\nimport math\nfrom math import sqrt, pi\nfrom scipy.spatial "
          "import distance as D\n"
          "import scipy.spatial.distance as E\nfrom scipy.spatial.distance import (cdist, cosine,)\n"
          "W, V = np.array([1.0, 2.0]), 3\n"
          "def helper(self, x, scale=2.0) -> float:\n    return scale * later(x) * self.goal_height\n"
          "def compute_dense_reward(self, action: np.ndarray, obs=None) -> float:\n"
          "    W[0] += 1\n    return helper(self, x=1.0) + W[0] + sqrt(V + 1) + D.cosine([1, 0], [0, 1])\n"
          "def later(x): return x + 1\n");
  EXPECT_EQ(outcome.kind(), "none") << outcome.error.text();
  EXPECT_NEAR(outcome.out.reward, 2 * 2 * 0.4 + 2 + 2 + 1, 1e-12);
}

TEST(ProgramLanguage, NothingSurvivesBetweenCalls) {
  auto compiled = RewardProgram::compile(
      "W = [0]\ndef compute_dense_reward(self, action):\n    W[0] += 1\n    return W[0]\n", {});
  ASSERT_TRUE(compiled.program);
  for (int i = 0; i < 3; ++i) {
    RewardOut out;
    compiled.program->eval({}, {}, out);
    EXPECT_EQ(out.reward, 1);
  }
}

TEST(ProgramLanguage, ObservationsAndComponents) {
  auto compiled = RewardProgram::compile(
      "def compute_dense_reward(self, action, obs):\n    return obs[1] + action[0], {'o': obs[0], 'b': "
      "True}\n",
      {});
  ASSERT_TRUE(compiled.program);
  RewardOut out;
  const std::vector<double> obs = {1, 2}, action = {0.5};
  EXPECT_EQ(compiled.program->eval({nullptr, std::span(obs)}, action, out), ProgramErrorKind::none);
  EXPECT_EQ(out.reward, 2.5);
  EXPECT_EQ(out.components, (std::vector<std::pair<std::string, double>>{{"o", 1}, {"b", 1}}));
  EXPECT_EQ(compiled.program->eval({}, action, out), ProgramErrorKind::name);  // obs was not given
  EXPECT_TRUE(out.components.empty());
}

TEST(ProgramLanguage, QueriesGetTheirArguments) {
  ProgramBinding query{
      "self.near", true, "", "", "", [](const void* state, std::span<const QueryArgument> a) {
        EXPECT_EQ(a.size(), 2u);
        EXPECT_EQ(*a[0].text, "cube");
        EXPECT_EQ(a[1].name, "radius");
        return BindingNumbers{.scalar = a[1].number * *static_cast<const double*>(state)};
      }};
  auto compiled = RewardProgram::compile(
      "def compute_dense_reward(self, action):\n    return self.near('cube', radius=2 + 1)\n", {query});
  ASSERT_TRUE(compiled.program) << compiled.error.text();
  RewardOut out;
  const double state = 7;
  EXPECT_EQ(compiled.program->eval({&state}, {}, out), ProgramErrorKind::none);
  EXPECT_EQ(out.reward, 21);
}

TEST(ProgramLanguage, BatchStopsAtTheFirstError) {
  auto compiled =
      RewardProgram::compile("def compute_dense_reward(self, action):\n    return 1 / action[0]\n", {});
  std::vector<ProgramFrame> frames(3);
  std::vector<RewardOut> outs(3);
  EXPECT_EQ(compiled.program->eval_batch(frames, std::vector<double>{1, 2, 4}, outs), -1);
  EXPECT_EQ(outs[2].reward, 0.25);
  EXPECT_EQ(compiled.program->eval_batch(frames, std::vector<double>{1, 0, 4}, outs), 1);
}

TEST(ProgramLanguage, ThreadsShareAProgram) {
  auto compiled = RewardProgram::compile(
      entry("xs = [a * self.goal_height for a in action]\nreturn sum(xs) + np.sum(self.points)"), table());
  ASSERT_TRUE(compiled.program);
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      RewardOut out;
      for (int i = 0; i < 2000; ++i) {
        const std::vector<double> action = {static_cast<double>(t), static_cast<double>(i)};
        compiled.program->eval({}, action, out);
        wrong[static_cast<size_t>(t)] += std::abs(out.reward - (0.4 * (t + i) + 21)) > 1e-9;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(ProgramLanguage, ComputesALiftReward) {
  const auto body =
      "w_dist, w_grasp, w_lift = 0.4, 0.2, 0.4\nreward = 0.0\n"
      "dist = np.linalg.norm(self.gripper.position - self.cube.position)\nreward += -w_dist * dist\n"
      "reward += w_grasp * self.check_grasp()\nlift = self.cube.position[1] - self.goal_height\n"
      "reward -= w_lift * np.abs(lift)\nif self.cube.position[1] >= self.goal_height:\n"
      "    reward += 0.1 * (self.cube.position[1] - self.goal_height)\n"
      "reward -= 0.01 * np.linalg.norm(action)\nreturn reward";
  EXPECT_NEAR(value_of(body), -0.1273484692, 1e-9);
}

TEST(ProgramLanguage, FuelIsExactAndRepeats) {
  const auto source = entry("r = 0\nfor i in range(10):\n    r += i\nreturn r");
  const auto first = run(source).out.fuel_used;
  EXPECT_GT(first, 10);
  EXPECT_EQ(run(source).out.fuel_used, first);
  EXPECT_EQ(run(source, {first, 0}).kind(), "none");
  EXPECT_EQ(run(source, {first - 1, 0}).kind(), "fuel");
}

}  // namespace
}  // namespace plaudit::testing
