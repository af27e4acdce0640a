#include "plaudit/objective/variational.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(GaussianKl, IsZeroOnThePriorAndPositiveElsewhere) {
  for_draws(200, [] {
    const auto mean = normal({3, 2}), logvar = normal({3, 2}), prior_mean = normal({2}),
               prior_logvar = normal({2});
    const auto kl = gaussian_kl(mean, logvar, {prior_mean, prior_logvar});
    EXPECT_GT(kl.per_row.min().item<double>(), 0);
    const auto same =
        gaussian_kl(prior_mean.expand({3, 2}), prior_logvar.expand({3, 2}), {prior_mean, prior_logvar});
    expect_close(same.kl, at::zeros({}, at::kDouble));
    expect_gradient(
        [&](const auto& x) {
          return gaussian_kl(x[0], x[1], {x[2], x[3]}).kl;
        },
        {mean, logvar, prior_mean, prior_logvar});
  });
}

TEST(Reparameterize, NormalisesToTheRootOfTheDimension) {
  for_draws(200, [] {
    const auto mean = normal({2, 4}), logvar = normal({2, 4}), noise = normal({2, 4}),
               weight = normal({2, 4});
    const auto z = reparameterize(mean, logvar, noise, true);
    expect_close(z.norm(2, {1}), at::full({2}, 2.0, at::kDouble));
    expect_gradient([&](const auto& x) { return (weight * reparameterize(x[0], x[1], noise, true)).sum(); },
                    {mean, logvar});
  });
}

TEST(PreferenceElbo, PaddingChangesNothingAndLargeMarginsStayFinite) {
  for_draws(100, [] {
    const auto mask = random_mask(2, 4);
    const auto a = normal({2, 4}, 100), b = normal({2, 4}, 3000), label = uniform({2, 4}),
               mean = normal({2, 3}), logvar = normal({2, 3});
    const auto clean = preference_elbo({a, b, label, mask}, mean, logvar);
    const auto dirty =
        preference_elbo({a.masked_fill(mask.eq(0), std::nan("")), b, label, mask}, mean, logvar);
    expect_close(clean.loss, dirty.loss);
    EXPECT_TRUE(std::isfinite(clean.loss.item<double>()));
    expect_gradient(
        [&](const auto& x) {
          return preference_elbo({x[0], x[1], label, mask}, x[2], x[3], {.kl_weight = 0.3}).loss;
        },
        {normal({2, 4}), normal({2, 4}), mean, logvar});
  });
}

TEST(SetAttention, IgnoresOrderAndMaskedMembers) {
  for_draws(100, [] {
    const int64_t n = integer(1, 4);
    const auto x = normal({2, n, 3});
    const AttentionPoolWeights w{normal({3, 3}), normal({3, 3}), normal({3, 3}),
                                 normal({3}),    normal({3}),    normal({3})};
    const auto all = at::ones({2, n}, at::kLong);
    const auto pooled = set_attention_pool(x, all, w);
    expect_close(set_attention_pool(x.index_select(1, at::randperm(n)), all, w), pooled);
    const auto padded = at::cat({x, at::full({2, 1, 3}, std::nan(""), at::kDouble)}, 1);
    expect_close(set_attention_pool(padded, at::cat({all, at::zeros({2, 1}, at::kLong)}, 1), w), pooled);
    expect_gradient([&](const auto& v) { return set_attention_pool(v[0], all, w).sum(); }, {x});
  });
}

TEST(InformationGain, IsZeroWhenAnswersDoNotMatter) {
  for_draws(100, [] {
    const auto mean = normal({1, 2}).expand({3, 2}), logvar = normal({1, 2}).expand({3, 2});
    expect_close(query_information_gain(mean, logvar).gain, at::zeros({}, at::kDouble));
    EXPECT_GE(query_information_gain(normal({3, 2}), logvar, uniform({3})).gain.item<double>(), -1e-12);
  });
}

TEST(KlAnneal, RisesFromTheBaselineToOne) {
  for (const auto* shape : {"linear", "cosine"}) {
    EXPECT_NEAR(kl_anneal(0, 10, {shape, 0.1}), 0.1, 1e-12);
    EXPECT_NEAR(kl_anneal(25, 10, {shape, 0.1}), 1, 1e-12);
    EXPECT_NEAR(kl_anneal(10, 10, {shape, 0.1, true}), 0.1, 1e-12);
  }
  expect_error(ErrorKind::value, "shape", [] { kl_anneal(0, 10, {"quadratic"}); });
  expect_error(ErrorKind::value, "total_steps", [] { kl_anneal(0, 0); });
}

}  // namespace
}  // namespace plaudit
