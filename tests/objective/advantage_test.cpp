#include "plaudit/objective/advantage.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

struct Steps {
  Tensor rewards, values, mask;
};

Steps random_steps() {
  const int64_t rows = integer(1, 4), length = integer(1, 8);
  return {normal({rows, length}), normal({rows, length}), random_mask(rows, length)};
}

TEST(Gae, EqualsTheWeightedSumOfTdErrors) {
  for_draws(200, [] {
    const auto s = random_steps();
    const double gamma = uniform({}).item<double>(), lam = uniform({}).item<double>();
    const auto result = gae(s.rewards, s.values, s.mask, {gamma, lam});
    for (int64_t b = 0; b < s.mask.size(0); ++b) {
      const int64_t length = s.mask[b].sum().item<int64_t>();
      for (int64_t t = 0; t < length; ++t) {
        double expected = 0, weight = 1;
        for (int64_t k = t; k < length; ++k, weight *= gamma * lam) {
          const double next = k + 1 < length ? s.values[b][k + 1].item<double>() : 0;
          expected +=
              weight * (s.rewards[b][k].item<double>() + gamma * next - s.values[b][k].item<double>());
        }
        EXPECT_NEAR(result.advantages[b][t].item<double>(), expected, 1e-9);
      }
    }
    expect_close(result.returns, result.advantages + s.values * s.mask);
  });
}

TEST(Gae, PaddingChangesNothingAndIsNeverRead) {
  for_draws(200, [] {
    const auto s = random_steps();
    const auto nan = at::full({s.mask.size(0), 3}, std::nan(""), at::kDouble),
               none = at::zeros({s.mask.size(0), 3}, at::kLong);
    const auto wide =
        gae(at::cat({s.rewards, nan}, 1), at::cat({s.values, nan}, 1), at::cat({s.mask, none}, 1));
    const auto plain = gae(s.rewards, s.values, s.mask);
    expect_close(wide.advantages.slice(1, 0, s.mask.size(1)), plain.advantages);
    expect_close(wide.advantages.slice(1, s.mask.size(1)), at::zeros_like(nan));
  });
}

TEST(Gae, APotentialChangesTheAdvantagesOnlyByItsValue) {
  // Shaping r_t + gamma Phi_{t+1} - Phi_t with values V - Phi leaves every TD error, hence every advantage,
  // alone.
  for_draws(200, [] {
    const auto s = random_steps();
    const auto potential = normal(s.values.sizes()) * s.mask;
    const auto next = at::constant_pad_nd(potential.slice(1, 1), {0, 1});
    const auto shaped = gae(s.rewards + 0.9 * next - potential, s.values - potential, s.mask, {.gamma = 0.9});
    expect_close(shaped.advantages, gae(s.rewards, s.values, s.mask, {.gamma = 0.9}).advantages);
  });
}

TEST(MaskedWhiten, HasUnitVarianceAndIgnoresScaleAndShift) {
  for_draws(200, [] {
    const auto x = normal({3, 5}, 4);
    const auto mask = random_mask(3, 5).index_put({at::tensor({0}, at::kLong), at::tensor({1}, at::kLong)},
                                                  at::tensor({1}, at::kLong));
    const auto w = masked_whiten(x, mask);
    const auto valid = w.masked_select(mask.ne(0));
    if (valid.numel() < 2) return;
    EXPECT_NEAR(valid.mean().item<double>(), 0, 1e-9);
    EXPECT_NEAR(valid.std().item<double>(), 1, 1e-6);
    expect_close(masked_whiten(x * 3 + 7, mask), w, 1e-6);
    expect_close(w.masked_select(mask.eq(0)), at::zeros({mask.eq(0).sum().item<int64_t>()}, at::kDouble));
  });
}

TEST(Advantage, ErrorsNameTheArgument) {
  const auto x = at::zeros({1, 3}), hole = at::tensor({1, 0, 1}).view({1, 3}), ok = at::ones({1, 3});
  expect_error(ErrorKind::value, "mask", [&] { gae(x, x, hole); });
  expect_error(ErrorKind::empty, "mask", [&] { gae(x, x, x); });
  expect_error(ErrorKind::value, "lam", [&] { gae(x, x, ok, {.lam = -0.1}); });
  expect_error(ErrorKind::shape, "values", [&] { gae(x, x.t(), ok); });
  expect_error(ErrorKind::nan, "rewards", [&] { gae(x / 0, x, ok); });
  expect_error(ErrorKind::empty, "mask", [&] { masked_whiten(x, at::tensor({1, 0, 0}).view({1, 3})); });
}

}  // namespace
}  // namespace plaudit
