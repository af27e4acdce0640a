#include "plaudit/objective/preference_distributional.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(MeanVarianceLoss, GradientMatchesFiniteDifferences) {
  for_draws(100, [] {
    const int64_t b = integer(1, 4);
    expect_gradient([](const auto& x) { return mean_variance_loss(x[0], x[1], 0.2).loss; },
                    {normal({b, 2}), normal({b, 2})});
  });
}

TEST(CategoricalLoss, EqualsTheDoubleSumOverAtoms) {
  for_draws(200, [] {
    const int64_t b = integer(1, 4), k = integer(1, 6);
    const auto c = normal({b, k}, 2), r = normal({b, k}, 2);
    const auto joint = c.softmax(1).unsqueeze(2) * r.softmax(1).unsqueeze(1);
    const auto above = at::ones({k, k}, at::kDouble).tril(-1) + 0.5 * at::eye(k, at::kDouble);
    expect_close(categorical_loss(c, r).losses, -(joint * above).sum({1, 2}).log());
    expect_gradient([](const auto& x) { return categorical_loss(x[0], x[1], 0.3).loss; }, {c, r});
  });
}

TEST(DistributionalLosses, SurviveExtremes) {
  for_draws(100, [] {
    const auto c = normal({3, 2}, 3000), r = normal({3, 2}, 3000);
    for (const auto& loss : {mean_variance_loss(c, r).loss, categorical_loss(c, r).loss})
      EXPECT_TRUE(at::isfinite(loss).item<bool>());
    for (const auto& grad :
         gradients([](const auto& x) { return categorical_loss(x[0], x[1]).loss; }, {c, r}))
      EXPECT_TRUE(at::isfinite(grad).all().item<bool>());
    for (const auto type : {at::kFloat, at::kDouble})
      for (const auto& grad : gradients([](const auto& x) { return mean_variance_loss(x[0], x[1]).loss; },
                                        {c.to(type), r.to(type)}))
        EXPECT_TRUE(at::isfinite(grad).all().item<bool>());
  });
  // Deviations of e^-30: the derivative by a deviation is large, but a number.
  const auto low = at::tensor({0.0, -30.0}).view({1, 2}), high = at::tensor({1.0, -30.0}).view({1, 2});
  const auto steep = [&](at::ScalarType type) {
    return gradients([](const auto& x) { return mean_variance_loss(x[0], x[1]).loss; },
                     {low.to(type), high.to(type)})[0][0][1]
        .item<double>();
  };
  EXPECT_NEAR(steep(at::kFloat) / steep(at::kDouble), 1, 1e-4);
  const auto same = at::full({1, 2}, -2000.0, at::kDouble);
  EXPECT_NEAR(mean_variance_loss(same, same).loss.item<double>(), std::log(2.0), 1e-12);
}

TEST(ExpectedPreference, IsBoundedAndSymmetric) {
  for_draws(100, [] {
    const auto x = normal({3, 4}, 100);
    expect_close(expected_preference(x) + expected_preference(-x), at::ones({3}, at::kDouble));
  });
  expect_error(ErrorKind::empty, "logits", [] { expected_preference(at::zeros({1, 0})); });
}

}  // namespace
}  // namespace plaudit
