#include "plaudit/objective/tool_reward.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(ToolReward, GradientMatchesFiniteDifferencesAndUnlabelledTokensAreNeverRead) {
  for_draws(50, [] {
    const int64_t b = integer(1, 3), t = integer(1, 5);
    const auto segment = at::randint(0, 5, {2 * b, t}, at::kLong);
    const auto nll = uniform({2 * b, t}), chosen = normal({b}), rejected = normal({b});
    for (const auto* mode : {"segments", "pooled"}) {
      const auto loss = [&](const std::vector<Tensor>& x) {
        return tool_rm_loss(x[0], segment, x[1], x[2], {.mode = mode, .segment_weights = {1, 0.5, 2}}).loss;
      };
      expect_gradient(loss, {nll, chosen, rejected});
      expect_close(loss({at::where(segment.ne(0), nll, NAN), chosen, rejected}),
                   loss({nll, chosen, rejected}));
    }
  });
}

TEST(ToolReward, ErrorsNameTheArgument) {
  const auto nll = at::zeros({2, 3}, at::kDouble), one = at::zeros({1}, at::kDouble);
  const auto segment = at::ones({2, 3}, at::kLong);
  expect_error(ErrorKind::value, "segment", [&] { tool_rm_loss(nll, segment + 4, one, one); });
  expect_error(ErrorKind::shape, "token_nll",
               [&] { tool_rm_loss(nll, segment, at::zeros({2}), at::zeros({2})); });
  expect_error(ErrorKind::value, "mode", [&] { tool_rm_loss(nll, segment, one, one, {.mode = "all"}); });
  expect_error(ErrorKind::shape, "segment_weights",
               [&] { tool_rm_loss(nll, segment, one, one, {.segment_weights = {1}}); });
}

}  // namespace
}  // namespace plaudit
