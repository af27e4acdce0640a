#include "plaudit/objective/preference_undecided.h"

#include "plaudit/objective/preference_bradley_terry.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(MaskedBradleyTerry, IsBradleyTerryOfTheDecidedPairs) {
  for_draws(200, [] {
    const int64_t n = integer(1, 8);
    const auto a = normal({n}, 100), b = normal({n}, 100);
    auto label = at::randint(-1, 2, {n}, at::kLong);
    label[0] = 1;
    const auto r = masked_bradley_terry_loss(a, b, label);
    const auto first = label.eq(1), second = label.eq(0);
    const auto winners = at::cat({a.masked_select(first), b.masked_select(second)});
    const auto losers = at::cat({b.masked_select(first), a.masked_select(second)});
    const auto plain = bradley_terry_loss(winners, losers);
    expect_close(r.loss, plain.loss);
    expect_close(r.accuracy, plain.accuracy);
    EXPECT_EQ(r.used.item<int64_t>(), winners.size(0));
    const auto hidden = at::where(label.ne(-1), a, NAN);
    expect_close(masked_bradley_terry_loss(hidden, b, label).loss, r.loss);
  });
}

TEST(MaskedBradleyTerry, GradientMatchesFiniteDifferences) {
  const auto label = at::tensor({1, -1, 0}, at::kLong);
  for_draws(50, [&] {
    expect_gradient([&](const auto& x) { return masked_bradley_terry_loss(x[0], x[1], label).loss; },
                    {normal({3}), normal({3})});
  });
}

TEST(MaskedBradleyTerry, ErrorsNameTheArgument) {
  const auto x = at::zeros({2}, at::kDouble);
  expect_error(ErrorKind::empty, "label", [&] { masked_bradley_terry_loss(x, x, at::full({2}, -1)); });
  expect_error(ErrorKind::value, "label", [&] { masked_bradley_terry_loss(x, x, at::full({2}, 2)); });
  expect_error(ErrorKind::shape, "rewards_b", [&] { masked_bradley_terry_loss(x, at::zeros({3}), x); });
}

}  // namespace
}  // namespace plaudit
