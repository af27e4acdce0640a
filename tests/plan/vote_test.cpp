#include "plaudit/plan/vote.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(GoalFilter, SavesWhatComesAfterTheStop) {
  for_draws(300, [] {
    const int64_t n = integer(1, 5), t = integer(1, 7), skip = integer(0, 3);
    const auto s = normal({n, t}), mask = random_mask(n, t);
    const auto r = goal_filter(at::where(mask.ne(0), s, NAN), mask, -0.5, skip);
    int64_t saved = 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto length = mask[i].sum().item<int64_t>();
      int64_t stop = length;
      for (int64_t j = skip; j < length && stop == length; ++j) {
        if (s[i][j].item<double>() < -0.5) stop = j;
      }
      EXPECT_EQ(r.stop[i].item<int64_t>(), stop);
      EXPECT_EQ(r.keep[i].item<bool>(), stop == length);
      saved += length - stop;
    }
    EXPECT_EQ(r.tokens_saved.item<int64_t>(), r.keep.any().item<bool>() ? saved : 0);
  });
}

TEST(MajorityVote, DoesNotDependOnTheNamesOfTheAnswers) {
  for_draws(200, [] {
    const int64_t n = integer(1, 8);
    const auto answers = at::randint(0, 3, {n}, at::kLong), keep = at::randint(0, 2, {n}, at::kLong);
    const auto r = filtered_majority_vote(answers, keep), named = filtered_majority_vote(-7 * answers, keep);
    EXPECT_EQ(named.answer, -7 * r.answer);
    EXPECT_EQ(named.votes, r.votes);
    EXPECT_EQ(r.fallback, !keep.any().item<bool>());
  });
}

TEST(BestOfScores, IgnoresWhatIsNotValidEvenAmongInfinities) {
  const auto scores =
      at::tensor({static_cast<double>(NAN), static_cast<double>(-INFINITY), 5.0}, at::kDouble);
  EXPECT_EQ(best_of_scores(scores, at::tensor({0, 1, 0}, at::kLong)), 1);
  expect_error(ErrorKind::nan, "scores", [&] { best_of_scores(scores); });
  expect_error(ErrorKind::empty, "valid", [&] { best_of_scores(scores, at::zeros({3})); });
}

TEST(ReflexionSelect, StopsAtTheThresholdWithTheBestSoFar) {
  for_draws(200, [] {
    const auto scores = uniform({integer(1, 6)});
    const int64_t most = integer(1, 8);
    const auto r = reflexion_select(scores, 0.7, most);
    const auto seen = scores.slice(0, 0, r.trials);
    EXPECT_EQ(r.index, seen.argmax().item<int64_t>());
    EXPECT_LE(r.trials, most);
    EXPECT_TRUE(seen.slice(0, 0, -1).lt(0.7).all().item<bool>());
  });
  expect_error(ErrorKind::value, "max_trials", [] { reflexion_select(at::ones({1}), 0, 0); });
}

}  // namespace
}  // namespace plaudit
