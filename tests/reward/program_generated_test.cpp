// Programs drawn from the grammar of docs/programs.md: most of them compile, many give a reward, and whatever
// they do, they end in a value or a named error within their limits, twice the same.
#include <cmath>
#include <map>

#include "plaudit/core/rng.h"
#include "tests/reward/program_support.h"

namespace plaudit::testing {
namespace {

using Words = std::vector<std::string>;

// Writes one program. An expression has a wanted kind, which it mostly is: scalar, truth, vector [3], matrix
// [2,3] or list.
class ProgramWriter {
 public:
  explicit ProgramWriter(int64_t number) : random_(Rng(92, "programs").child(number)) {}

  std::string program() {
    std::string out =
        pick({"", "", "import numpy as np\n", "import math\nfrom scipy.spatial.distance import cdist\n"});
    if (chance(30)) out += "SCALE = " + number() + "\n";
    for (int64_t helpers = random_.below(3); helpers > 0; --helpers) out += helper();
    scalars_ = {"self.goal_height", "action[0]"};
    vectors_ = {"action"};
    lists_.clear();
    if (chance(30)) scalars_.push_back("SCALE");
    out += "def compute_dense_reward(self, action):\n" + block(1, 2 + random_.below(6), false);
    return out + indent(1) + result() + "\n";
  }

 private:
  bool chance(int percent) { return random_.below(100) < percent; }
  std::string pick(const Words& words) {
    return words[static_cast<size_t>(random_.below(static_cast<int64_t>(words.size())))];
  }
  static std::string indent(int64_t depth) { return std::string(static_cast<size_t>(4 * depth), ' '); }

  std::string number() {
    return pick(
        {"0", "1", "2", "-1", "3", "0.5", "2.5", "1e-3", "10", "1e3", "7", "1e308", "65537", "1e-320"});
  }
  std::string index() { return pick({"0", "1", "-1", "2", "i", "1:", "::-1", ":2", "::2", "-3"}); }

  std::string helper() {
    const auto name = "f" + std::to_string(functions_.size());
    scalars_ = {"x", "y"};
    vectors_.clear();
    lists_.clear();
    std::string out = "def " + name + "(x, y=" + number() + "):\n" + block(1, random_.below(3), false);
    out += indent(1) + "return " + (chance(10) ? name + "(x - 1)" : scalar(2)) + "\n";  // some never end
    functions_.push_back(name);
    return out;
  }

  std::string block(int64_t depth, int64_t statements, bool loop) {
    std::string out;
    for (int64_t i = 0; i < statements; ++i) out += statement(depth, loop);
    return out.empty() ? indent(depth) + "pass\n" : out;
  }

  std::string statement(int64_t depth, bool loop) {
    const auto before = indent(depth);
    const int64_t kind = random_.below(depth > 3 ? 6 : 10);
    if (kind < 3) return before + assignment() + "\n";
    if (kind == 3)
      return before + pick(names_of(scalars_)) + pick({" += ", " -= ", " *= ", " /= ", " **= "}) + scalar(2) +
             "\n";
    if (kind == 4) return before + pick(names_of(vectors_)) + "[" + index() + "] = " + scalar(1) + "\n";
    if (kind == 5)
      return loop && chance(50) ? before + pick({"break", "continue"}) + "\n" : before + scalar(2) + "\n";
    if (kind < 8) {
      auto out = before + "if " + truth(2) + ":\n" + block(depth + 1, 1 + random_.below(2), loop);
      if (chance(30)) out += before + "elif " + truth(1) + ":\n" + block(depth + 1, 1, loop);
      if (chance(50)) out += before + "else:\n" + block(depth + 1, 1, loop);
      return out;
    }
    const auto source = pick(
        {"range(5)", "range(2, -3, -1)", "range(" + pick({"100", "1000000000"}) + ")", vector(1), list(1)});
    return before +
           pick({"for i in " + source, "for i, v in enumerate(" + source + ")",
                 "for i, v in zip(" + source + ", " + vector(1) + ")"}) +
           ":\n" + block(depth + 1, 1 + random_.below(2), true);
  }

  Words names_of(const Words& known) {
    Words out;
    for (const auto& name : known)
      if (name.find('.') == std::string::npos && name.find('[') == std::string::npos) out.push_back(name);
    if (out.empty() || chance(3)) out = {"z"};  // unknown at first
    return out;
  }

  std::string assignment() {
    const auto name = pick({"a", "b", "c", "d"}) + std::to_string(random_.below(3));
    const int64_t kind = random_.below(10);
    if (kind < 5) return named(scalars_, "s" + name, scalar(3));
    if (kind < 7) return named(vectors_, "v" + name, vector(2));
    if (kind == 7) return named(lists_, "l" + name, list(2));
    if (kind == 8 && chance(3))
      return named(scalars_, "t" + name, "0") + "\n" + indent(9) + "pass";  // wrong indentation
    return "p, q = " + scalar(1) + ", " + scalar(1);
  }
  std::string named(Words& known, const std::string& name, const std::string& value) {
    known.push_back(name);
    return name + " = " + value;
  }

  std::string scalar(int depth) {
    if (chance(2)) return chance(50) ? vector(depth - 1) : list(depth - 1);
    if (depth <= 0) return chance(60) ? pick(scalars_) : number();
    const int64_t kind = random_.below(11);
    if (kind < 3)
      return "(" + scalar(depth - 1) + pick({" + ", " - ", " * ", " / ", " // ", " % ", " ** "}) +
             scalar(depth - 1) + ")";
    if (kind == 3)
      return "np." + pick({"abs", "sqrt", "exp", "tanh", "square", "log1p", "sign"}) + "(" +
             scalar(depth - 1) + ")";
    if (kind == 4)
      return "np.linalg.norm(" + vector(depth - 1) + pick({"", "", ", ord=1", ", ord=np.inf"}) + ")";
    if (kind == 5)
      return vector(depth - 1) +
             pick({".sum()", ".mean()", ".max()", "[0]", "[-1]", ".size", ".dot(action)"});
    if (kind == 6) return pick({"max", "min"}) + "(" + scalar(depth - 1) + ", " + scalar(depth - 1) + ")";
    if (kind == 7)
      return "(" + scalar(depth - 1) + " if " + truth(depth - 1) + " else " + scalar(depth - 1) + ")";
    if (kind == 8)
      return functions_.empty() ? "self.check_grasp()" : pick(functions_) + "(" + scalar(depth - 1) + ")";
    if (kind == 9)
      return pick({"sum", "len", "float", "round", "int"}) + "(" +
             (chance(50) ? list(depth - 1) : scalar(depth - 1)) + ")";
    return "(lambda u: " + pick({"u", "u * u", "-u", "u + 1"}) + ")(" + scalar(depth - 1) + ")";
  }

  std::string truth(int depth) {
    if (depth <= 0) return pick({"True", "False", "self.check_grasp()", scalar(0)});
    const int64_t kind = random_.below(4);
    if (kind == 0)
      return scalar(depth - 1) + pick({" < ", " <= ", " == ", " != ", " > "}) + scalar(depth - 1);
    if (kind == 1) return "(" + truth(depth - 1) + pick({" and ", " or "}) + truth(depth - 1) + ")";
    if (kind == 2) return "not " + truth(depth - 1);
    return "0 < " + scalar(depth - 1) + " <= " + number();
  }

  std::string vector(int depth) {
    if (chance(2)) return scalar(depth - 1);
    if (depth <= 0)
      return chance(60) ? pick(vectors_.empty() ? Words{"np.ones(3)"} : vectors_) : "np.array([1, 0.5, -2])";
    const int64_t kind = random_.below(8);
    if (kind == 0)
      return "(" + vector(depth - 1) + pick({" + ", " - ", " * ", " / ", " ** "}) +
             (chance(50) ? vector(depth - 1) : scalar(depth - 1)) + ")";
    if (kind == 1)
      return "np." + pick({"abs", "sin", "floor", "sqrt", "exp"}) + "(" + vector(depth - 1) + ")";
    if (kind == 2) return "np.clip(" + vector(depth - 1) + ", " + number() + ", " + number() + ")";
    if (kind == 3)
      return "np.where(" + vector(depth - 1) + " > 0, " + vector(depth - 1) + ", " + scalar(0) + ")";
    if (kind == 4)
      return matrix(depth - 1) +
             pick({"[0]", "[:, 1]", ".sum(axis=0)", ".mean(1)", " @ action", ".reshape(-1)"});
    if (kind == 5)
      return "np." + pick({"zeros", "ones", "arange"}) + "(" + pick({"3", "3", "0", "100000", scalar(0)}) +
             ")";
    if (kind == 6) return vector(depth - 1) + "[" + index() + "]";
    return "np.array(" + list(depth - 1) + ")";
  }

  std::string matrix(int depth) {
    if (depth <= 0) return pick({"self.points", "np.ones((2, 3))", "np.eye(3)"});
    const int64_t kind = random_.below(4);
    if (kind == 0) return "(" + matrix(depth - 1) + pick({" + ", " * ", " @ "}) + matrix(depth - 1) + ")";
    if (kind == 1)
      return matrix(depth - 1) + pick({".T", ".copy()", "[::-1]", ".reshape(3, 2)", ".reshape((2, -1))"});
    if (kind == 2) return "np.vstack([" + vector(depth - 1) + ", " + vector(depth - 1) + "])";
    return "np.outer(" + vector(depth - 1) + ", " + vector(depth - 1) + ")";
  }

  std::string list(int depth) {
    if (depth <= 0)
      return lists_.empty() || chance(50) ? pick({"[1, 2.5, 3]", "[]", "(1, 2)"}) : pick(lists_);
    const int64_t kind = random_.below(5);
    if (kind == 0) return "[" + scalar(depth - 1) + ", " + scalar(depth - 1) + "]";
    if (kind == 1)
      return "[" + pick({"k", "k * k", "[k, k]", scalar(0)}) + " for k in " +
             (chance(50) ? vector(depth - 1) : list(depth - 1)) + (chance(40) ? " if k > 0]" : "]");
    if (kind == 2) return "(" + list(depth - 1) + " + " + list(depth - 1) + ")";
    if (kind == 3) return "(" + list(depth - 1) + " * " + pick({"2", "0", "100000", scalar(0)}) + ")";
    return "list(" + (chance(50) ? "range(" + number() + ")" : vector(depth - 1)) + ")";
  }

  std::string result() {
    const auto value = scalar(3);
    if (chance(30)) return "return " + value + ", {'a': " + scalar(2) + ", 'b': " + scalar(1) + "}";
    return chance(3) ? "pass" : "return " + value;
  }

  Rng random_;
  Words scalars_, vectors_, lists_, functions_;
};

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

TEST(ProgramGenerated, EndsInAValueOrANamedErrorWithinItsLimitsTwiceTheSame) {
  constexpr int64_t kPrograms = 3000;
  std::map<std::string, int> kinds;
  for (int64_t i = 0; i < kPrograms; ++i) {
    const auto text = ProgramWriter(i).program();
    const ProgramLimits limits{i % 3 == 0 ? 300 : 20'000, 0};
    const auto first = run(text, limits), second = run(text, limits);
    ++kinds[first.kind()];
    ASSERT_LT(first.seconds, 1) << text;
    // With kind fuel, what was refused is counted, too.
    if (first.kind() != "fuel") {
      ASSERT_LE(first.out.fuel_used, limits.fuel) << text;
    }
    ASSERT_LE(first.out.peak_bytes, size_t{4} << 20) << text;
    ASSERT_EQ(first.kind(), second.kind()) << text;
    ASSERT_EQ(first.error.text(), second.error.text()) << text;
    ASSERT_EQ(first.out.fuel_used, second.out.fuel_used) << text;
    ASSERT_EQ(first.out.peak_bytes, second.out.peak_bytes) << text;
    if (first.kind() == "none") {
      ASSERT_TRUE(std::isfinite(first.out.reward)) << text;
      ASSERT_EQ(first.out.reward, second.out.reward) << text;
      ASSERT_EQ(first.out.components.size(), second.out.components.size()) << text;
      for (size_t c = 0; c < first.out.components.size(); ++c)
        ASSERT_TRUE(same(first.out.components[c].second, second.out.components[c].second)) << text;
    } else {
      ASSERT_GT(first.error.line, 0) << text;
      ASSERT_FALSE(first.error.message.empty()) << text;
    }
  }
  for (const auto& [kind, count] : kinds) RecordProperty("kind_" + kind, count);
  // The grammar reaches all of it: many of the programs give a value, and every kind of error comes up.
  EXPECT_GT(kinds["none"], kPrograms / 20);
  for (const char* kind : {"syntax", "name", "type", "shape", "value", "fuel", "memory"})
    EXPECT_GT(kinds[kind], 0) << kind;
}

}  // namespace
}  // namespace plaudit::testing
