#include "plaudit/data/bucketing.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plaudit/core/errors.h"
#include "plaudit/core/rng.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

TEST(TokenBudgetBatches, KeepsTheOrderAndTheBudget) {
  const Ids lengths{3, 5, 2, 4};
  EXPECT_EQ(token_budget_batches(lengths, {2, 0, 1, 3}, 8), (std::vector<Ids>{{2, 0}, {1}, {3}}));
  EXPECT_EQ(token_budget_batches(lengths, {2, 0, 1, 3}, 14), (std::vector<Ids>{{2, 0, 1, 3}}));
  EXPECT_TRUE(token_budget_batches(lengths, {}, 8).empty());
}

TEST(TokenBudgetBatches, JoinedBatchesAreTheOrder) {
  Rng rng(3, "bucketing");
  Ids lengths(500);
  for (auto& length : lengths) length = 1 + rng.below(40);
  const auto order = rng.permutation(500);
  Ids joined;
  for (const auto& batch : token_budget_batches(lengths, order, 64)) {
    int64_t tokens = 0;
    for (const auto i : batch) tokens += lengths[static_cast<size_t>(i)];
    EXPECT_LE(tokens, 64);
    joined.insert(joined.end(), batch.begin(), batch.end());
  }
  EXPECT_EQ(joined, order);
}

TEST(TokenBudgetBatches, RefusesWhatNoBatchCanHold) {
  EXPECT_THROW(token_budget_batches({9}, {0}, 8), UserError);
  EXPECT_THROW(token_budget_batches({0}, {0}, 8), UserError);
  EXPECT_THROW(token_budget_batches({1}, {1}, 8), UserError);
  EXPECT_THROW(token_budget_batches({1}, {0}, 0), UserError);
}

TEST(SortByLengthInWindows, SortsEachWindowAlone) {
  const Ids lengths{1, 4, 2, 2, 9};
  EXPECT_EQ(sort_by_length_in_windows(lengths, {0, 1, 2, 3, 4}, 3), (Ids{1, 2, 0, 4, 3}));
  EXPECT_EQ(sort_by_length_in_windows(lengths, {3, 2, 0}, 10), (Ids{3, 2, 0}));
  EXPECT_THROW(sort_by_length_in_windows(lengths, {0}, 0), UserError);
  EXPECT_THROW(sort_by_length_in_windows(lengths, {5}, 1), UserError);
}

}  // namespace
}  // namespace plaudit
