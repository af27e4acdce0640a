#include "plaudit/reward/score.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(LastTokenIndex, FindsTheLastOfEachRow) {
  for_draws(300, [] {
    const int64_t rows = integer(1, 5), length = integer(1, 9);
    auto mask = at::randint(0, 2, {rows, length}, at::kLong);
    mask.select(1, integer(0, length - 1)).fill_(1);
    const auto index = last_token_index(mask);
    for (int64_t b = 0; b < rows; ++b) {
      int64_t expected = length - 1;
      while (mask[b][expected].item<int64_t>() == 0) --expected;
      EXPECT_EQ(index[b].item<int64_t>(), expected);
    }
  });
}

TEST(Score, PaddingOnEitherSideChangesNothing) {
  for_draws(200, [] {
    const int64_t rows = integer(1, 4), length = integer(1, 6), d = integer(1, 5);
    const auto hidden = normal({rows, length, d}), weight = normal({d});
    const auto mask = random_mask(rows, length);
    const auto pad = at::full({rows, 2, d}, std::nan(""), at::kDouble),
               zero = at::zeros({rows, 2}, at::kLong);
    for (const auto* pooling : {"last", "mean"}) {
      SCOPED_TRACE(pooling);
      const ScoreOptions options{.bias = normal({}), .pooling = pooling};
      const auto plain = score_hidden(hidden, mask, weight, options);
      expect_close(score_hidden(at::cat({hidden, pad}, 1), at::cat({mask, zero}, 1), weight, options), plain);
      expect_close(score_hidden(at::cat({pad, hidden}, 1), at::cat({zero, mask}, 1), weight, options), plain);
      // One row alone scores as it does in the batch.
      expect_close(score_hidden(hidden.slice(0, 0, 1), mask.slice(0, 0, 1), weight, options),
                   plain.slice(0, 0, 1));
    }
  });
}

TEST(Score, GradientMatchesFiniteDifferences) {
  for_draws(60, [] {
    const auto mask = random_mask(2, 3);
    for (const auto* pooling : {"last", "mean"})
      expect_gradient(
          [&](const auto& x) {
            return score_hidden(x[0], mask, x[1], {.bias = x[2], .pooling = pooling}).square().sum();
          },
          {normal({2, 3, 2}), normal({2}), normal({})});
  });
}

TEST(Score, NaNUnderTheMaskReachesNoGradient) {
  auto hidden = at::ones({1, 2, 2}, at::kDouble);
  hidden[0][1].fill_(std::nan(""));
  const auto mask = at::tensor({1, 0}).view({1, 2});
  for (const auto* pooling : {"last", "mean"}) {
    for (const auto& grad :
         gradients([&](const auto& x) { return score_hidden(x[0], mask, x[1], {.pooling = pooling}).sum(); },
                   {hidden, at::ones({2}, at::kDouble)}))
      EXPECT_TRUE(at::isfinite(grad).all().item<bool>()) << pooling;
  }
}

TEST(Score, ErrorsNameTheArgument) {
  const auto hidden = at::zeros({2, 3, 4}), mask = at::ones({2, 3}), weight = at::zeros({4});
  expect_error(ErrorKind::empty, "row 1", [&] {
    score_hidden(hidden, at::tensor({1, 0, 0, 0, 0, 0}).view({2, 3}), weight);
  });
  expect_error(ErrorKind::shape, "weight", [&] { score_hidden(hidden, mask, at::zeros({3})); });
  expect_error(ErrorKind::shape, "mask", [&] { score_hidden(hidden, mask.t(), weight); });
  expect_error(ErrorKind::value, "pooling",
               [&] { score_hidden(hidden, mask, weight, {.pooling = "first"}); });
  expect_error(ErrorKind::nan, "hidden", [&] { score_hidden(hidden / 0, mask, weight); });
}

}  // namespace
}  // namespace plaudit
