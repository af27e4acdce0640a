#include "plaudit/objective/preference_ranking.h"

#include "plaudit/objective/preference_dpo.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// The readable twin: one softmax per pick.
Tensor by_picks(const Tensor& logps, const Tensor& ref_logps, double beta) {
  const auto scores = beta * (logps - ref_logps);
  auto losses = at::zeros({scores.size(0)}, scores.options());
  for (int64_t k = 0; k + 1 < scores.size(1); ++k)
    losses = losses - at::log_softmax(scores.slice(1, k), 1).select(1, 0);
  return losses;
}

TEST(PlackettLuce, EqualsPickingOneByOne) {
  for_draws(200, [] {
    const int64_t n = integer(1, 5), k = integer(2, 6);
    const auto logps = normal({n, k}, 10), ref = normal({n, k}, 10);
    const auto r = dpo_plackett_luce_loss(logps, ref, 0.4);
    expect_close(r.losses, by_picks(logps, ref, 0.4));
    expect_close(r.loss, r.losses.mean());
  });
}

TEST(PlackettLuce, TwoAnswersAreDpo) {
  for_draws(200, [] {
    const auto logps = normal({4, 2}, 10), ref = normal({4, 2}, 10);
    const auto dpo = dpo_loss({logps.select(1, 0), logps.select(1, 1), ref.select(1, 0), ref.select(1, 1)});
    expect_close(dpo_plackett_luce_loss(logps, ref).losses, dpo.losses);
  });
}

TEST(PlackettLuce, GradientMatchesFiniteDifferencesAndSurvivesExtremes) {
  for_draws(100, [] {
    const int64_t n = integer(1, 3), k = integer(2, 5);
    expect_gradient([](const auto& x) { return dpo_plackett_luce_loss(x[0], x[1], 0.5).loss; },
                    {normal({n, k}, 4), normal({n, k}, 4)});
    const auto grads = gradients([](const auto& x) { return dpo_plackett_luce_loss(x[0], x[1], 0.5).loss; },
                                 {normal({n, k}, 5000), normal({n, k}, 5000)});
    EXPECT_TRUE(at::isfinite(grads[0]).all().item<bool>());
  });
}

TEST(PlackettLuce, RefusesOneAnswer) {
  const auto one = at::zeros({3, 1}, at::kDouble);
  expect_error(ErrorKind::shape, "logps", [&] { dpo_plackett_luce_loss(one, one); });
}

}  // namespace
}  // namespace plaudit
