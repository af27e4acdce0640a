#include "plaudit/objective/imitation.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(AdvantageWeights, AreFiniteMonotoneAndCapped) {
  for_draws(200, [] {
    const auto a = std::get<0>(normal({8}, 1e4).sort());
    const auto w = advantage_weights(a);
    EXPECT_TRUE(at::isfinite(w).all().item<bool>());
    EXPECT_GE(w.diff().min().item<double>(), 0);
    EXPECT_LE(w.max().item<double>(), 100 * (1 + 1e-12));
    expect_close(advantage_weights(a, {.beta = 0}), at::ones_like(a));
  });
}

TEST(WeightedCloning, WithEqualWeightsIsTheMeanSquareTimesTheDimensions) {
  for_draws(200, [] {
    const auto pred = normal({4, 3}), actions = normal({4, 3});
    expect_close(weighted_bc_loss(pred, actions, at::ones({4})), 3 * rcsl_loss(pred, actions));
    expect_gradient([&](const auto& x) { return weighted_bc_loss(x[0], actions, x[1]); },
                    {pred, uniform({4})});
  });
}

TEST(MaskedActionMse, NeverReadsUnderTheMask) {
  for_draws(200, [] {
    const auto mask = random_mask(3, 4);
    const auto pred = normal({3, 4, 2}), actions = normal({3, 4, 2});
    const auto dirty = actions.masked_fill(mask.eq(0).unsqueeze(2), std::nan(""));
    const auto loss = masked_action_mse(pred, dirty, mask);
    const auto kept = mask.ne(0).unsqueeze(2).expand_as(pred);
    expect_close(loss,
                 rcsl_loss(pred.masked_select(kept).unsqueeze(1), actions.masked_select(kept).unsqueeze(1)));
    const auto grad =
        gradients([&](const auto& x) { return masked_action_mse(x[0], dirty, mask); }, {pred})[0];
    EXPECT_TRUE(at::isfinite(grad).all().item<bool>());
  });
}

TEST(AdvantageWeighted, UsesTheLeastCriticAndDetachesIt) {
  for_draws(100, [] {
    const auto logps = normal({5}), q = normal({2, 5}), v = normal({5});
    const auto loss = advantage_weighted_loss(logps, q, v);
    expect_close(loss.weights, advantage_weights(q.amin(0) - v));
    expect_gradient([&](const auto& x) { return advantage_weighted_loss(x[0], q, v).loss; }, {logps});
  });
  expect_error(ErrorKind::value, "beta", [] { advantage_weights(at::ones({1}), {.beta = -1}); });
  expect_error(ErrorKind::shape, "q",
               [] { advantage_weighted_loss(at::ones({2}), at::ones({2}), at::ones({2})); });
}

}  // namespace
}  // namespace plaudit
