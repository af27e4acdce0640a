#include "plaudit/objective/contrastive.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(SimcseLoss, IsCrossEntropyOfCosines) {
  for_draws(200, [] {
    const int64_t n = integer(1, 6);
    const auto a = normal({n, 4}), b = normal({n, 4});
    const auto cosine = at::cosine_similarity(a.unsqueeze(1), b.unsqueeze(0), -1);
    const auto expected = at::cross_entropy_loss(cosine / 0.2, at::arange(n), {}, at::Reduction::None);
    expect_close(simcse_loss(a, b, 0.2).losses, expected);
    expect_close(simcse_loss(a * 7, b / 3, 0.2).losses, expected);  // lengths do not matter
  });
}

TEST(SimcseLoss, GradientMatchesFiniteDifferencesAndSurvivesZeroRows) {
  for_draws(60, [] {
    const int64_t n = integer(1, 4);
    expect_gradient([](const auto& x) { return simcse_loss(x[0], x[1], 0.5).loss; },
                    {normal({n, 3}), normal({n, 3})});
  });
  for (const auto& grad : gradients([](const auto& x) { return simcse_loss(x[0], x[1]).loss; },
                                    {at::zeros({2, 3}, at::kDouble), normal({2, 3})}))
    EXPECT_TRUE(at::isfinite(grad).all().item<bool>());
}

TEST(SwavLoss, AssignmentsAreBalanced) {
  for_draws(200, [] {
    const int64_t n = integer(2, 8), k = integer(2, 5);
    const auto r =
        swav_loss(normal({n, 4}), normal({n, 4}), normal({k, 4}), {.epsilon = 0.5, .iterations = 200});
    expect_close(r.assignments_a.sum(1), at::ones({n}, at::kDouble));
    expect_close(r.assignments_a.sum(0), at::full({k}, double(n) / double(k), at::kDouble), 1e-3);
  });
}

TEST(SwavLoss, ViewsMaySwapAndSmallEpsilonDoesNotOverflow) {
  for_draws(100, [] {
    const auto a = normal({5, 4}), b = normal({5, 4}), c = normal({3, 4});
    const auto r = swav_loss(a, b, c), s = swav_loss(b, a, c);
    expect_close(r.loss, s.loss);
    expect_close(r.assignments_a, s.assignments_b);
    EXPECT_TRUE(at::isfinite(swav_loss(a, b, c, {.epsilon = 1e-4}).loss).all().item<bool>());
  });
}

TEST(SwavLoss, GradientTreatsAssignmentsAsConstant) {
  for_draws(60, [] {
    const auto a = normal({3, 4}), b = normal({3, 4}), c = normal({2, 4});
    const auto fixed = swav_loss(a, b, c);
    // The same loss with the assignments held fixed, differentiable in its own right.
    const auto twin = [&](const std::vector<Tensor>& x) {
      const auto unit = [](const Tensor& t) { return t / t.norm(2, {1}, true); };
      const auto ce = [&](const Tensor& q, const Tensor& z) {
        return -(q * at::log_softmax(unit(z).matmul(unit(x[2]).t()) / 0.1, 1)).sum(1);
      };
      return (ce(fixed.assignments_b, x[0]) + ce(fixed.assignments_a, x[1])).mean();
    };
    const auto ours = gradients([](const auto& x) { return swav_loss(x[0], x[1], x[2]).loss; }, {a, b, c});
    const auto expected = gradients(twin, {a, b, c});
    for (size_t i = 0; i < 3; ++i) expect_close(ours[i], expected[i], 1e-8);
  });
}

TEST(PreferenceFeatures, DifferenceIsAntisymmetric) {
  for_draws(50, [] {
    const auto c = normal({3, 2}), r = normal({3, 2});
    const auto d = preference_features(c, r, "difference");
    expect_close(d.slice(0, 0, 3), -d.slice(0, 3));
    expect_close(preference_features(c, r, "pair"), at::cat({c, r}));
  });
}

TEST(Contrastive, ErrorsNameTheArgument) {
  const auto x = at::ones({2, 3}, at::kDouble);
  expect_error(ErrorKind::value, "temperature", [&] { simcse_loss(x, x, 0); });
  expect_error(ErrorKind::shape, "prototypes", [&] { swav_loss(x, x, x.t()); });
  expect_error(ErrorKind::value, "epsilon", [&] { swav_loss(x, x, x, {.epsilon = 0}); });
  expect_error(ErrorKind::value, "kind", [&] { preference_features(x, x, "pairs"); });
}

}  // namespace
}  // namespace plaudit
