#include "plaudit/reward/program_states.h"

#include "tests/support/property.h"

namespace plaudit::testing {
namespace {

ExampleBindings bindings(const char* text) {
  return example_bindings(Check("test"), Json::parse(text));
}

TEST(ProgramStates, TheFirstIsTheGivenOneAndTheOthersAreLikeIt) {
  const auto shown =
      bindings(R"json({"self.p": [1, 2, 3], "self.m": [[1.0, 2.0]], "self.h": -40, "self.ok()": true})json");
  EXPECT_TRUE(shown.table[3].query);
  EXPECT_EQ(shown.table[3].path, "self.ok");
  const auto states = example_states(shown, 200, 0);
  ASSERT_EQ(states.size(), 201u);
  double tossed = 0;
  for (size_t i = 0; i < 4; ++i) expect_close(states[0].values[i], shown.given.values[i], 0);
  for (size_t k = 1; k < states.size(); ++k) {
    EXPECT_EQ(states[k].values[0].sizes(), at::IntArrayRef({3}));
    EXPECT_EQ(states[k].values[1].sizes(), at::IntArrayRef({1, 2}));
    EXPECT_FALSE(states[k].values[2].equal(states[0].values[2]));
    tossed += states[k].values[3].item<double>();
  }
  EXPECT_GT(tossed, 50);
  EXPECT_LT(tossed, 150);
  // Alike for a seed, and another for another.
  EXPECT_TRUE(example_states(shown, 3, 0)[3].values[0].equal(states[3].values[0]));
  EXPECT_FALSE(example_states(shown, 3, 1)[3].values[0].equal(states[3].values[0]));
}

TEST(ProgramStates, AProgramReadsTheStateOfItsFrame) {
  const auto shown = bindings(R"({"self.p": [1, 2], "self.h": 4, "self.ok": {"returns": true}})");
  const auto compiled = RewardProgram::compile(
      "def compute_dense_reward(self, action):\n    return self.p.sum() + self.h + (10 if self.ok() else "
      "20)\n",
      shown.table);
  ASSERT_TRUE(compiled.program) << compiled.error.text();
  for (const auto& state : example_states(shown, 20, 5)) {
    RewardOut out;
    compiled.program->eval({.state = &state}, std::vector<double>{}, out);
    const double expected = state.values[0].sum().item<double>() + state.values[1].item<double>() +
                            (state.values[2].item<double>() != 0 ? 10 : 20);
    EXPECT_NEAR(out.reward, expected, 1e-12);
  }
}

TEST(ProgramStates, ErrorsNameTheArgument) {
  expect_error(ErrorKind::type, "bindings", [] { bindings("[1]"); });
  expect_error(ErrorKind::value, "bindings", [] { bindings(R"({"self.x": {"value": 1}})"); });
  expect_error(ErrorKind::shape, "bindings", [] { bindings(R"({"self.x": [[[1]]]})"); });
}

}  // namespace
}  // namespace plaudit::testing
