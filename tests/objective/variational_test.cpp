#include "plaudit/objective/variational.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(GaussianKl, IsZeroOnlyAtThePriorAndHasTheRightGradient) {
  for_draws(200, [] {
    const int64_t u = integer(1, 4), z = integer(1, 5);
    const auto mean = normal({u, z}), logvar = normal({u, z});
    const GaussianPrior prior = {normal({z}), normal({z})};
    EXPECT_GE(gaussian_kl(mean, logvar, prior).per_row.min().item<double>(), 0);
    const auto same = gaussian_kl(prior.mean->expand({u, z}), prior.logvar->expand({u, z}), prior);
    expect_close(same.per_row, at::zeros({u}, at::kDouble));
    expect_gradient([&](const auto& x) { return gaussian_kl(x[0], x[1], prior).kl; }, {mean, logvar});
  });
}

TEST(GaussianKl, AgreesWithSampling) {
  at::manual_seed(0);
  const auto mean = at::tensor({0.5, -1.0}, at::kDouble).view({1, 2});
  const auto logvar = at::tensor({-0.4, 0.3}, at::kDouble).view({1, 2});
  const auto z = reparameterize(mean.expand({200000, 2}), logvar.expand({200000, 2}), normal({200000, 2}));
  const auto log_q = -0.5 * ((z - mean).square() / logvar.exp() + logvar).sum(1);
  const auto log_p = -0.5 * z.square().sum(1);
  expect_close((log_q - log_p).mean(), gaussian_kl(mean, logvar).kl, 0.02);
}

TEST(Reparameterize, NormalisedRowsHaveNormRootZ) {
  for_draws(200, [] {
    const int64_t u = integer(1, 4), z = integer(1, 5);
    const auto x = reparameterize(normal({u, z}), normal({u, z}), normal({u, z}), true);
    expect_close(x.norm(2, {1}), at::full({u}, std::sqrt(static_cast<double>(z)), at::kDouble));
  });
  const auto zero = at::zeros({1, 3}, at::kDouble);
  expect_close(reparameterize(zero, zero, zero, true), zero);
}

TEST(PreferenceElbo, IgnoresWhatTheMaskHides) {
  for_draws(200, [] {
    const int64_t u = integer(1, 4), n = integer(1, 5), z = integer(1, 3);
    const auto mask = random_mask(u, n);
    const auto a = normal({u, n}), b = normal({u, n}), label = uniform({u, n});
    const auto mean = normal({u, z}), logvar = normal({u, z});
    const auto hide = [&](const Tensor& x) { return at::where(mask.ne(0), x, NAN); };
    const auto clean = preference_elbo(a, b, label, mean, logvar, {.mask = mask, .kl_weight = 0.3});
    const auto dirty =
        preference_elbo(hide(a), hide(b), hide(label), mean, logvar, {.mask = mask, .kl_weight = 0.3});
    expect_close(dirty.loss, clean.loss);
    expect_close(clean.loss, clean.reconstruction + 0.3 * clean.kl);
    const auto grads = gradients(
        [&](const auto& x) { return preference_elbo(x[0], x[1], label, mean, logvar, {.mask = mask}).loss; },
        {hide(a), hide(b)});
    EXPECT_TRUE(at::isfinite(grads[0]).all().item<bool>());
  });
}

TEST(PreferenceElbo, GradientMatchesFiniteDifferences) {
  for_draws(50, [] {
    const int64_t u = integer(1, 3), n = integer(1, 3), z = integer(1, 3);
    const auto label = uniform({u, n});
    expect_gradient(
        [&](const auto& x) {
          return preference_elbo(x[0], x[1], label, x[2], x[3], {.reward_scale = 2}).loss;
        },
        {normal({u, n}), normal({u, n}), normal({u, z}), normal({u, z})});
  });
}

TEST(KlAnneal, RisesFromTheBaselineToOne) {
  for (const auto* shape : {"linear", "cosine"}) {
    double last = -1;
    for (int64_t step = 0; step <= 20; ++step) {
      const double weight = kl_anneal(step, 20, {.shape = shape, .baseline = 0.2});
      EXPECT_GE(weight, last);
      last = weight;
    }
    EXPECT_NEAR(kl_anneal(0, 20, {.shape = shape, .baseline = 0.2}), 0.2, 1e-12);
    EXPECT_NEAR(last, 1, 1e-12);
    EXPECT_EQ(kl_anneal(27, 20, {.shape = shape, .cyclical = true}), kl_anneal(7, 20, {.shape = shape}));
  }
}

TEST(QueryInformationGain, IsZeroWhenTheAnswersDoNotMatterAndNeverNegative) {
  for_draws(200, [] {
    const int64_t l = integer(1, 5), z = integer(1, 4);
    const auto gain = query_information_gain(normal({l, z}), normal({l, z}), uniform({l}, 0.1, 1)).gain;
    EXPECT_GE(gain.item<double>(), -1e-12);
    const auto mean = normal({1, z}).expand({l, z}), logvar = normal({1, z}).expand({l, z});
    EXPECT_NEAR(query_information_gain(mean, logvar).gain.item<double>(), 0, 1e-12);
  });
}

TEST(Variational, ErrorsNameTheArgument) {
  const auto x = at::zeros({2, 3}, at::kDouble);
  expect_error(ErrorKind::empty, "mean", [&] { gaussian_kl(x.slice(0, 0, 0), x); });
  expect_error(ErrorKind::shape, "prior_mean", [&] { gaussian_kl(x, x, {.mean = at::zeros({2})}); });
  expect_error(ErrorKind::nan, "noise", [&] { reparameterize(x, x, x + NAN); });
  expect_error(ErrorKind::value, "label", [&] { preference_elbo(x, x, x + 2, x, x); });
  expect_error(ErrorKind::empty, "mask", [&] { preference_elbo(x, x, x, x, x, {.mask = x}); });
  expect_error(ErrorKind::value, "shape", [&] { kl_anneal(1, 2, {.shape = "square"}); });
  expect_error(ErrorKind::value, "total_steps", [&] { kl_anneal(1, 0, {}); });
  expect_error(ErrorKind::value, "probability", [&] { query_information_gain(x, x, at::zeros({2})); });
}

}  // namespace
}  // namespace plaudit
