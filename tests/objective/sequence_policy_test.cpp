#include "plaudit/objective/sequence_policy.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Alol, GradientsEqualFiniteDifferencesWithImportanceHeldFixed) {
  for_draws(60, [] {
    const auto mask = random_mask(3, 4);
    const auto logps = normal({3, 4}), ref = normal({3, 4}), advantages = normal({3});
    for (const auto* variant : {"ref_free", "alol", "seq", "kl"}) {
      const auto loss = alol_loss(logps, ref, mask, advantages, {.variant = variant});
      const auto grad = gradients(
          [&](const auto& x) { return alol_loss(x[0], ref, mask, advantages, {.variant = variant}).loss; },
          {logps})[0];
      const auto weight = loss.importance.dim() == 2 ? loss.importance : loss.importance.unsqueeze(1);
      auto expected = -advantages.clamp_min(0).unsqueeze(1) * weight / 3;
      if (std::string(variant) == "kl") expected = expected + 0.1 / 3;
      expect_close(grad, (expected * mask).expand_as(grad), 1e-9);
    }
  });
}

TEST(Alol, ExtremesAndPaddingAreHarmless) {
  const auto mask = at::tensor({1, 1, 0}).view({1, 3});
  const auto logps = at::tensor({-1e4, -1.0, std::nan("")}, at::kDouble).view({1, 3});
  const auto ref = at::tensor({-1.0, -1e4, std::nan("")}, at::kDouble).view({1, 3});
  for (const auto* variant : {"ref_free", "alol", "seq", "kl"}) {
    const auto f = [&](const auto& x) {
      return alol_loss(x[0], ref, mask, at::ones({1}), {.variant = variant}).loss;
    };
    EXPECT_TRUE(std::isfinite(f(std::vector<Tensor>{logps}).template item<double>()));
    EXPECT_TRUE(at::isfinite(gradients(f, {logps})[0]).all().item<bool>());
  }
}

TEST(Gold, WithFloorOneIsWeightedLikelihood) {
  for_draws(100, [] {
    const auto mask = random_mask(2, 3);
    const auto logps = -uniform({2, 3}, 0.1, 3), rewards = normal({2});
    expect_close(gold_loss(logps, mask, rewards, 1).losses, weighted_nll_loss(logps, mask, rewards).losses);
  });
}

TEST(SequencePolicy, AnAnswerWithoutTokensCostsNothing) {
  const auto logps = at::tensor({-1.0, -2.0, -1.0, -1.0}, at::kDouble).view({2, 2});
  const auto mask = at::tensor({1, 1, 0, 0}).view({2, 2});
  const auto one = at::ones({2}, at::kDouble);
  expect_close(weighted_nll_loss(logps, mask, one).losses, at::tensor({3.0, 0.0}, at::kDouble));
  expect_close(gold_loss(logps, mask, one, 1).losses, at::tensor({3.0, 0.0}, at::kDouble));
  for (const auto* variant : {"ref_free", "alol", "seq", "kl"})
    EXPECT_EQ(alol_loss(logps, logps, mask, one, {.variant = variant}).losses[1].item<double>(), 0)
        << variant;
  expect_error(ErrorKind::empty, "mask", [&] { weighted_nll_loss(logps, mask * 0, one); });
}

TEST(SequencePolicy, ErrorsNameTheArgument) {
  const auto x = at::zeros({2, 2}), ones = at::ones({2, 2});
  expect_error(ErrorKind::value, "clip", [&] { alol_loss(x, x, ones, at::ones({2}), {.clip = 0}); });
  expect_error(ErrorKind::value, "variant",
               [&] { alol_loss(x, x, ones, at::ones({2}), {.variant = "sec"}); });
  expect_error(ErrorKind::shape, "advantages", [&] { alol_loss(x, x, ones, at::ones({1})); });
}

}  // namespace
}  // namespace plaudit
