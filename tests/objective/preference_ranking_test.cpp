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

// The readable twin: list by list, pair by pair.
Tensor by_pairs(const Tensor& scores, const std::vector<int64_t>& offsets, double l2) {
  auto total = at::zeros({}, at::kDouble);
  for (size_t g = 0; g + 1 < offsets.size(); ++g) {
    std::vector<Tensor> losses;
    for (int64_t i = offsets[g]; i < offsets[g + 1]; ++i) {
      for (int64_t j = i + 1; j < offsets[g + 1]; ++j)
        losses.push_back(-at::log_sigmoid(scores[i] - scores[j]) +
                         l2 / 2 * (scores[i].square() + scores[j].square()));
    }
    total = total + at::stack(losses).mean();
  }
  return total / static_cast<double>(offsets.size() - 1);
}

TEST(RankedPairs, EqualsTheSumOverListsAndPairs) {
  for_draws(100, [] {
    const int64_t first = integer(2, 4), second = integer(2, 5);
    const std::vector<int64_t> offsets = {0, first, first + second};
    const auto scores = normal({first + second}, 3), bounds = at::tensor(offsets, at::kLong);
    expect_close(ranked_pairs_loss(scores, bounds, 0.01), by_pairs(scores, offsets, 0.01));
    expect_gradient([&](const auto& x) { return ranked_pairs_loss(x[0], bounds, 0.01); }, {scores});
  });
}

TEST(RankedPairs, ErrorsNameTheArgument) {
  const auto scores = at::zeros({3}, at::kDouble);
  const auto loss = [&](std::vector<int64_t> offsets, double l2 = 0) {
    ranked_pairs_loss(scores, at::tensor(offsets, at::kLong), l2);
  };
  expect_error(ErrorKind::empty, "offsets", [&] { loss({0, 1, 3}); });
  expect_error(ErrorKind::value, "offsets", [&] { loss({0, 2}); });
  expect_error(ErrorKind::value, "offsets", [&] { loss({1, 3}); });
  expect_error(ErrorKind::value, "l2", [&] { loss({0, 3}, -1); });
}

}  // namespace
}  // namespace plaudit
