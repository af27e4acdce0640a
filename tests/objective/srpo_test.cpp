#include "plaudit/objective/srpo.h"

#include "plaudit/objective/preference_game.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

PairLogps pair_of(const std::vector<Tensor>& x) {
  return {x[0], x[1], x[2], x[3]};
}
RevisionLogps revision_of(const std::vector<Tensor>& x, size_t at) {
  return {x[at], x[at + 1], x[at + 2], x[at + 3]};
}

std::vector<Tensor> random_logps(size_t count, int64_t batch) {
  std::vector<Tensor> x;
  for (size_t i = 0; i < count; ++i) x.push_back(-normal({batch}, 5).abs());
  return x;
}

TEST(Srpo, GradientMatchesFiniteDifferences) {
  for_draws(50, [] {
    const auto label = uniform({3});
    expect_gradient(
        [&](const auto& x) {
          return srpo_loss(pair_of(x), revision_of(x, 4), revision_of(x, 8), {.label = label, .alpha = 0.3})
              .loss;
        },
        random_logps(12, 3));
  });
}

TEST(Srpo, IsTheWeightedSumOfItsParts) {
  for_draws(200, [] {
    const auto x = random_logps(12, 4);
    const auto imp = revision_of(x, 4), ref = revision_of(x, 8);
    const auto r = srpo_loss(pair_of(x), imp, ref, {.beta = 0.2, .alpha = 0.3});
    const auto improve = srpo_improve_loss(imp, ref, {.beta = 0.2});
    const auto robust = srpo_robust_loss(pair_of(x), {imp.w_given_l, imp.l_given_w},
                                         {ref.w_given_l, ref.l_given_w}, {.beta = 0.2});
    expect_close(r.losses, 0.7 * robust.losses + 0.3 * improve.losses);
    expect_close(r.improve_loss, improve.loss);
    const auto certain =
        srpo_loss(pair_of(x), imp, ref, {.label = at::ones({}, at::kDouble), .beta = 0.2, .alpha = 0.3});
    expect_close(certain.losses, r.losses);
    expect_close(r.robust_loss, robust.loss);
  });
}

// The closed form solves both identities exactly, whatever the preferences.
TEST(Srpo, VanishesAtTheTabularSolution) {
  for_draws(100, [] {
    constexpr int64_t n = 4;
    const double beta = 0.4;
    const auto upper = uniform({n, n}).triu(1);
    const auto p = upper + (1 - upper.t()).tril(-1) + 0.5 * at::eye(n, at::kDouble);
    const auto ref = at::log_softmax(normal({n}), 0), ref_imp = at::log_softmax(normal({n, n}), 1);
    const auto best = srpo_tabular(p, ref, ref_imp, beta);
    const int64_t w = 1, l = 3;
    const auto one = [](const Tensor& t) { return t.reshape({1}); };
    const auto revision = [&](const Tensor& t) {
      return RevisionLogps{one(t[l][w]), one(t[l][l]), one(t[w][w]), one(t[w][l])};
    };
    const auto r =
        srpo_loss({one(best.logps[w]), one(best.logps[l]), one(ref[w]), one(ref[l])},
                  revision(best.imp_logps), revision(ref_imp), {.label = one(p[w][l]), .beta = beta});
    EXPECT_NEAR(r.loss.item<double>(), 0, 1e-18);
  });
}

TEST(Srpo, ErrorsNameTheArgument) {
  const auto x = random_logps(12, 2);
  const auto imp = revision_of(x, 4), ref = revision_of(x, 8);
  expect_error(ErrorKind::value, "alpha", [&] { srpo_loss(pair_of(x), imp, ref, {.alpha = 1.5}); });
  expect_error(ErrorKind::value, "label",
               [&] { srpo_improve_loss(imp, ref, {.label = at::full({2}, 2.0)}); });
  expect_error(ErrorKind::shape, "label", [&] { srpo_improve_loss(imp, ref, {.label = at::zeros({3})}); });
  expect_error(ErrorKind::value, "beta", [&] { srpo_improve_loss(imp, ref, {.beta = 0}); });
}

}  // namespace
}  // namespace plaudit
