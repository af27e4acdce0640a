#include "plaudit/eval/answer_reward_distance.h"

#include "plaudit/eval/reward_distance.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

struct Answers {
  Tensor truth, other, group;
  static Answers draw() {
    const int64_t prompts = integer(1, 5), answers = integer(2, 4);
    return {normal({prompts * answers}), normal({prompts * answers}),
            at::arange(prompts, at::kLong).repeat_interleave(answers)};
  }
  Tensor offsets() const { return normal({group.max().item<int64_t>() + 1}).index_select(0, group); }
};

TEST(AnswerDistance, ForgetsScaleAndWhatBelongsToThePrompt) {
  for_draws(100, [] {
    const auto a = Answers::draw();
    const auto disguised = 3 * a.truth + 5 * a.offsets();
    for (const double order : {1.0, 2.0, static_cast<double>(INFINITY)}) {
      EXPECT_NEAR(answer_distance(a.truth, disguised, a.group, order).item<double>(), 0, 1e-9);
      EXPECT_NEAR(answer_distance(a.truth, -disguised, a.group, order).item<double>(), 2, 1e-9);
    }
    EXPECT_NEAR(answer_regret(a.truth, disguised, a.group).worst_case.item<double>(), 0, 1e-9);
    EXPECT_NEAR(answer_regret(a.truth, -disguised, a.group).worst_case.item<double>(), 1, 1e-9);
  });
}

// The answers to one prompt are a process of one decision: the worst case of both is the same.
TEST(AnswerRegret, IsThatOfTheDecisionProcess) {
  for_draws(60, [] {
    const int64_t prompts = integer(1, 3), answers = integer(2, 4), end = prompts;
    const auto truth = normal({prompts, answers}), other = normal({prompts, answers});
    auto transition = at::zeros({prompts + 1, answers, prompts + 1}, at::kDouble);
    transition.select(2, end).fill_(1);
    const auto table_of = [&](const Tensor& r) {
      auto out = at::zeros_like(transition);
      out.slice(0, 0, prompts).copy_(r.unsqueeze(2).expand({prompts, answers, prompts + 1}));
      return out;
    };
    auto initial = at::full({prompts + 1}, 1.0 / static_cast<double>(prompts), at::kDouble);
    initial[end].fill_(0);
    const auto group = at::arange(prompts, at::kLong).repeat_interleave(answers);
    const auto lost = answer_regret(truth.flatten(), other.flatten(), group);
    EXPECT_NEAR(lost.worst_case.item<double>(),
                worst_case_regret(transition, table_of(truth), table_of(other), initial, 0.9).item<double>(),
                1e-8);
    EXPECT_NEAR(lost.best.item<double>(),
                regret(transition, table_of(truth), table_of(other), initial, 0.9).normalised.item<double>(),
                1e-8);
    EXPECT_LE(lost.best.item<double>(), lost.worst_case.item<double>() + 1e-9);
  });
}

TEST(AnswerDistance, PromptsCountAlike) {
  // Two prompts, one with two answers and one with four that is judged the other way round.
  const auto group = at::tensor({0, 0, 1, 1, 1, 1}, at::kLong);
  const auto truth = at::tensor({1.0, -1.0, 1.0, 1.0, -1.0, -1.0}),
             other = at::tensor({1.0, -1.0, -1.0, -1.0, 1.0, 1.0});
  EXPECT_NEAR(answer_distance(truth, other, group).item<double>(), std::sqrt(2.0), 1e-6);
}

TEST(AnswerDistance, ErrorsNameTheArgument) {
  const auto x = at::ones({4}, at::kDouble), group = at::tensor({0, 0, 1, 1}, at::kLong);
  expect_error(ErrorKind::shape, "rewards_b", [&] { answer_distance(x, at::ones({3}), group); });
  expect_error(ErrorKind::value, "order", [&] { answer_distance(x, x, group, 3); });
  expect_error(ErrorKind::nan, "rewards_learned", [&] { answer_regret(x, x * NAN, group); });
}

}  // namespace
}  // namespace plaudit
