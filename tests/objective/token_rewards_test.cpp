#include "plaudit/objective/token_rewards.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(KlShaped, TheRowSumIsTheScoreLessThePenalty) {
  for_draws(200, [] {
    const int64_t rows = integer(1, 4), length = integer(1, 6);
    const auto scores = normal({rows}, 5), logps = normal({rows, length}), ref = normal({rows, length});
    const auto mask = random_mask(rows, length);
    for (const auto* estimator : {"k1", "k2", "k3"}) {
      const auto r =
          kl_shaped(scores, logps, ref, mask, {.kl_coef = 0.3, .estimator = estimator, .clip_score = 2});
      expect_close(r.rewards.sum(1), scores.clamp(-2, 2) + r.non_score);
      expect_close(r.non_score, -0.3 * r.kl.sum(1));
      expect_close(r.kl * (1 - mask), at::zeros_like(r.kl));
    }
    const auto free = kl_shaped(scores, logps, logps, mask, {.clip_score = std::nullopt});
    expect_close(free.rewards.sum(1), scores);
  });
}

TEST(RlvrTokenRewards, AnswersWithoutEndGetThePenalty) {
  for_draws(100, [] {
    const auto correct = uniform({4}), ends = at::randint(0, 2, {4}, at::kBool), logps = normal({4, 3});
    const auto mask = random_mask(4, 3);
    const auto r = rlvr_token_rewards(correct, ends, logps, logps, mask);
    expect_close(r.scores, at::where(ends, 10 * correct, -10.0));
    expect_close(r.rewards.sum(1), r.scores);
    expect_close(rlvr_token_rewards(correct, ends, logps, logps, mask, {.eos_penalty = std::nullopt}).scores,
                 10 * correct);
  });
}

TEST(TokenRewards, ErrorsNameTheArgument) {
  const auto x = at::zeros({2, 3}), ok = at::ones({2, 3}), row = at::zeros({2});
  auto bare = ok.clone();
  bare[1].zero_();
  expect_error(ErrorKind::empty, "row 1", [&] { kl_shaped(row, x, x, bare); });
  expect_error(ErrorKind::shape, "scores", [&] { kl_shaped(at::zeros({3}), x, x, ok); });
  expect_error(ErrorKind::value, "clip_score", [&] { kl_shaped(row, x, x, ok, {.clip_score = 0}); });
  expect_error(ErrorKind::value, "correct", [&] { rlvr_token_rewards(row + 2, row, x, x, ok); });
}

}  // namespace
}  // namespace plaudit
