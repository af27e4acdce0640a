#include "plaudit/core/conform.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

// A function that exists for these tests alone: y = x^2 and its sum.
std::tuple<Tensor, Tensor> square(const Tensor& x, double scale) {
  const Check check("testing.square");
  check.not_empty("x", x);
  check.that(scale > 0, "scale", "> 0", scale);
  const auto y = scale * x * x;
  return {y.sum(), y};
}

PLAUDIT_FUNCTIONS(testing, m) {
  m.def("constant(Tensor x) -> (Tensor loss)", [](const Tensor& x) { return at::zeros({}, x.options()); },
        "Zero.", {});
  m.def("square(Tensor x, float scale=1.0) -> (Tensor loss, Tensor y)", &square, "Squares.", {});
}

CaseResult run(const std::string& text) {
  return run_case(Json::parse(text));
}

TEST(Conform, PassesWhenValuesAndGradientsAgree) {
  const auto r = run(R"({"id": "a", "function": "testing.square", "inputs": {"x": [1, 2.5]},
                         "expect": {"loss": 7.25, "y": [1, 6.25]}, "grad": {"x": [2, 5]}, "tol": 1e-9})");
  EXPECT_EQ(r.status, "pass") << r.message;
}

TEST(Conform, GradOfMayWeighOutputs) {
  const auto r = run(
      R"({"id": "a", "function": "testing.square", "inputs": {"x": [1.0, 2.0]}, "params": {"note": "kept out"},
                         "expect": {}, "grad": {"x": [6, 28]}, "grad_of": {"y": [2, 6], "loss": 1}})");
  EXPECT_EQ(r.status, "pass") << r.message;
}

TEST(Conform, FailsOnAWrongValueGradientShapeOrName) {
  EXPECT_EQ(run(R"({"function": "testing.square", "inputs": {"x": [1.0]}, "expect": {"loss": 1.1}})").status,
            "fail");
  EXPECT_EQ(run(R"({"function": "testing.square", "inputs": {"x": [1.0]}, "expect": {"y": [[1]]}})").status,
            "fail");
  EXPECT_EQ(run(R"({"function": "testing.square", "inputs": {"x": [1.0]}, "expect": {"z": 1}})").status,
            "fail");
  EXPECT_EQ(run(R"({"function": "testing.square", "inputs": {"x": [1.0]}, "grad": {"x": [3]}})").status,
            "fail");
  EXPECT_EQ(
      run(R"({"function": "testing.square", "inputs": {"x": [1.0]}, "expect": {"loss": "nan"}})").status,
      "fail");
}

TEST(Conform, AnErrorMustBeOfTheNamedKind) {
  const std::string call = R"("function": "testing.square", "inputs": {"x": [1.0], "scale": -1}, "error": )";
  EXPECT_EQ(run("{" + call + "\"value\"}").status, "pass");
  EXPECT_EQ(run("{" + call + "\"shape\"}").status, "fail");
  EXPECT_EQ(run(R"({"function": "testing.square", "inputs": {"x": [1.0]}, "error": "value"})").status,
            "fail");
  EXPECT_EQ(run(R"({"function": "testing.square", "inputs": {"x": []}, "error": "empty"})").status, "pass");
  EXPECT_EQ(run(R"({"function": "testing.square", "inputs": {"x": ["a"]}, "error": "type"})").status, "pass");
}

TEST(Conform, AToleranceBelowTheRoundingOfTheCaseMeansAllPrintedDigits) {
  const auto near = [](const std::string& expected) {
    return run(R"({"function": "testing.square", "inputs": {"x": [0.43948512007540]}, "tol": 1e-13, "expect": {"loss": )" +
               expected + "}}")
        .status;
  };
  EXPECT_EQ(near("0.1931471708"), "pass");  // 0.19314717077...
  EXPECT_EQ(near("0.1931471709"), "fail");
  EXPECT_EQ(near("0.19315"), "fail");
}

TEST(Conform, TrailingZerosOfTenDigitsAreNotPrinted) {
  const auto near = [](const std::string& expected) {
    return run(R"({"function": "testing.square", "inputs": {"x": [1.0000000002]}, "tol": 1e-13, "expect": {"loss": )" +
               expected + "}}")
        .status;
  };
  EXPECT_EQ(near("1.0"), "fail");  // one digit is taken as exact
  const auto nine = [](const std::string& x) {
    return run(R"({"function": "testing.square", "inputs": {"x": [)" + x +
               R"(]}, "tol": 1e-13, "expect": {"loss": 1.06695831}})")
        .status;
  };
  EXPECT_EQ(nine("1.0329367405706"), "pass");  // 1.06695831002...
  EXPECT_EQ(nine("1.0329367409606"), "fail");
}

TEST(Conform, AnOutputThatAnInputDoesNotReachHasAGradientOfZero) {
  const auto status = [](const std::string& grad) {
    return run(R"({"function": "testing.constant", "inputs": {"x": [1.0]}, "grad": {"x": )" + grad + "}}")
        .status;
  };
  EXPECT_EQ(status("[0]"), "pass");
  EXPECT_EQ(status("[1]"), "fail");
}

TEST(Conform, AMissingFunctionIsNamedSo) {
  EXPECT_EQ(run(R"({"function": "testing.cube", "inputs": {}})").status, "missing");
}

}  // namespace
}  // namespace plaudit
