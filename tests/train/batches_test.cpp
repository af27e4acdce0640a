#include "plaudit/train/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace plaudit {
namespace {

using ::testing::ElementsAre;

TrainOptions batches_of(int64_t batch, int64_t epochs, int64_t max_steps = 0) {
  TrainOptions options;
  options.batch = batch;
  options.epochs = epochs;
  options.max_steps = max_steps;
  return options;
}

TEST(BatchPlan, EveryEpochVisitsEveryExampleOnceInItsOwnOrder) {
  BatchPlan plan(10, batches_of(4, 2), Rng(0, "t"));
  EXPECT_EQ(plan.steps(), 6);
  std::vector<std::vector<int64_t>> epochs(2);
  for (int64_t step = 0; step < 6; ++step) {
    for (const auto example : plan.batch(step)) epochs[step / 3].push_back(example);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  for (auto& epoch : epochs) {
    std::sort(epoch.begin(), epoch.end());
    EXPECT_THAT(epoch, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  }
  EXPECT_DOUBLE_EQ(plan.epochs_after(4), 1.4);
}

TEST(BatchPlan, ABatchIsAFunctionOfItsStep) {
  BatchPlan forward(10, batches_of(3, 3), Rng(5, "t")), jumping(10, batches_of(3, 3), Rng(5, "t"));
  for (int64_t step = 0; step < 6; ++step) forward.batch(step);
  EXPECT_EQ(jumping.batch(9), forward.batch(9));
  EXPECT_EQ(jumping.batch(1), forward.batch(1));
}

TEST(BatchPlan, StepsOverrideEpochsAndSmallDataMakesOneBatch) {
  EXPECT_EQ(BatchPlan(10, batches_of(4, 2, 17), Rng(0, "t")).steps(), 17);
  BatchPlan small(3, batches_of(16, 2), Rng(0, "t"));
  EXPECT_EQ(small.steps(), 2);
  EXPECT_EQ(small.batch(1).size(), 3U);
}

TEST(Shares, RanksPartitionABatchWithAboutEqualWork) {
  const auto tokens = [](int64_t example) { return 10 * example; };
  EXPECT_THAT(share_of_rank({1, 2, 3, 4}, tokens, 0, 2), ElementsAre(4, 1));
  EXPECT_THAT(share_of_rank({4, 3, 2, 1}, tokens, 1, 2), ElementsAre(3, 2));
  EXPECT_THAT(share_of_rank({1}, tokens, 1, 2), ElementsAre());
}

TEST(MicroBatches, KeepTheBudgetAndNeighboursInLength) {
  const std::vector<int64_t> lengths = {5, 50, 7, 30, 20, 200};
  const auto tokens = [&](int64_t example) { return lengths[static_cast<size_t>(example)]; };
  EXPECT_THAT(micro_batches({0, 1, 2, 3, 4, 5}, tokens, 100),
              ElementsAre(ElementsAre(5), ElementsAre(1, 3, 4), ElementsAre(2, 0)));
}

}  // namespace
}  // namespace plaudit
