// Choosing at decoding time: best-of-n, votes, value-augmented sampling, tree search.
#include "plaudit/plan/best_of_n.h"
#include "plaudit/plan/goal_steering.h"
#include "plaudit/plan/tree_search.h"
#include "plaudit/plan/value_augmented.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(BestOfN, AllFormsAgreeAndIgnoreWhatIsMasked) {
  for_draws(300, [] {
    const auto mask = random_mask(3, integer(1, 6));
    const auto rewards = (normal(mask.sizes()) * 2).round();
    const auto hidden = at::where(mask.ne(0), rewards, NAN);
    const auto best = best_of_k(hidden, mask);
    const auto ranked = rank_candidates(hidden, mask);
    EXPECT_TRUE(best.index.equal(ranked.index));
    EXPECT_TRUE(std::get<0>(ranked.rank.sort(1)).select(0, 0).equal(at::arange(mask.size(1))));
    for (int64_t b = 0; b < 3; ++b) {
      EXPECT_EQ(best_of_n_index(hidden[b], mask[b]), best.index[b].item<int64_t>());
      EXPECT_EQ(ranked.rank[b][best.index[b].item<int64_t>()].item<int64_t>(), 0);
    }
    expect_close(best.best, at::where(mask.ne(0), rewards, -1e300).amax(1));
  });
}

TEST(BestOfN, ARowWithoutAnswers) {
  const auto r = at::ones({1, 2}, at::kDouble), none = at::zeros({1, 2});
  EXPECT_EQ(best_of_k(r, none).index.item<int64_t>(), -1);
  expect_error(ErrorKind::empty, "mask", [&] { rank_candidates(r, none); });
  expect_error(ErrorKind::empty, "valid", [&] { best_of_n_index(r[0], none[0]); });
  expect_error(ErrorKind::nan, "rewards", [&] { best_of_k(r * NAN); });
}

TEST(ValueAugmented, ProbabilitiesSumToOneAndAConstantValueChangesNothing) {
  for_draws(300, [] {
    const auto logits = normal({2, 6}, 3);
    const auto ids = top_k_candidates(logits, 3);
    const auto values = normal({2, 3});
    const auto steered = value_augmented_logits(logits, ids, values, 2);
    expect_close(steered.probs.sum(1), at::ones({2}, at::kDouble));
    expect_close(value_augmented_logits(logits, ids, values + 5, 2).logits, steered.logits);
    expect_close(value_augmented_logits(logits, ids, at::ones({2, 3}), 2).logits, logits);
    expect_close(compose_values(at::stack({values, values}), at::tensor({1., -1.}, at::kDouble)),
                 at::zeros({2, 3}, at::kDouble));
    expect_close(blackbox_probs(logits, values.repeat({1, 2})).sum(1), at::ones({2}, at::kDouble));
  });
}

TEST(ValueAugmented, RefusesInfiniteLogits) {
  const auto logits = at::tensor({0., -INFINITY, 1.}, at::kDouble).view({1, 3});
  const auto ids = at::tensor({0, 2}, at::kLong).view({1, 2}), values = at::zeros({1, 2}, at::kDouble);
  expect_error(ErrorKind::nan, "logits", [&] { top_k_candidates(logits, 1); });
  expect_error(ErrorKind::nan, "logits", [&] { value_augmented_logits(logits, ids, values); });
  expect_error(ErrorKind::nan, "top_logps", [&] { blackbox_probs(logits, at::zeros({1, 3}), 1); });
}

TEST(Votes, EveryWeightCountsAndNobodyKeptMeansEverybody) {
  for_draws(200, [] {
    const auto answers = at::randint(0, 3, {7}), keep = at::randint(0, 2, {7});
    const auto vote = filtered_majority_vote(answers, keep);
    EXPECT_EQ(vote.fallback, keep.sum().item<int64_t>() == 0);
    const auto voters = vote.fallback ? at::ones_like(keep) : keep;
    EXPECT_EQ(vote.votes, static_cast<double>((answers.eq(vote.answer) * voters).sum().item<int64_t>()));
    for (int64_t a = 0; a < 3; ++a) EXPECT_GE(vote.votes, (answers.eq(a) * voters).sum().item<double>());
  });
}

TEST(GoalFilter, KeepsWhatNeverFalls) {
  for_draws(200, [] {
    const auto mask = random_mask(4, 8);
    const auto s = at::where(mask.ne(0), normal({4, 8}), NAN);
    const auto r = goal_filter(s, mask, 0, 2);
    const auto length = mask.ne(0).sum(1);
    EXPECT_TRUE(r.keep.eq(r.stop.eq(length)).all().item<bool>());
    EXPECT_GE(r.saved_fraction, 0);
    EXPECT_LT(r.saved_fraction, 1);
  });
}

TEST(TreeSearch, FindsTheBestLeafOfATwoLevelTree) {
  for_draws(50, [] {
    // 0 -> 1, 2; 1 -> 3, 4; 2 -> 5, 6; leaves 3..6.
    const auto next = at::tensor({1, 2, 3, 4, 5, 6, 3, 3, 4, 4, 5, 5, 6, 6}, at::kLong).view({7, 2});
    const auto value = at::cat({at::zeros({3}, at::kDouble), uniform({4})});
    const auto terminal = at::arange(7).ge(3);
    const auto r = mcts_search({next, terminal, value, at::full({7, 2}, 0.5, at::kDouble)},
                               {.rollouts = 200, .uct = {.c = 3}, .gamma = 1, .final_mode = "best"});
    EXPECT_EQ(r.counts.sum().item<int64_t>(), 200);
    EXPECT_EQ(r.action, (value.argmax().item<int64_t>() - 3) / 2);
    EXPECT_NEAR(r.values.max().item<double>(), value.max().item<double>(), 1e-12);
  });
  const auto one = at::zeros({1, 1}, at::kLong);
  expect_error(ErrorKind::value, "root", [&] {
    mcts_search({one, at::ones({1}), at::ones({1}), at::ones({1, 1})}, {});
  });
}

}  // namespace
}  // namespace plaudit
