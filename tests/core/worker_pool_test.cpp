#include "plaudit/core/worker_pool.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <numeric>

#include "plaudit/core/errors.h"
#include "plaudit/core/parallel.h"

namespace plaudit {
namespace {

TEST(WorkerPool, EveryRowOnceInEveryCall) {
  WorkerPool pool(4);
  std::vector<std::atomic<int>> count(13);
  for (int call = 0; call < 2000; ++call) pool.run(call % 13 + 1, [&](int64_t row) { ++count[row]; });
  for (size_t row = 0; row < count.size(); ++row) {
    int expected = 0;
    for (int call = 0; call < 2000; ++call) expected += call % 13 >= static_cast<int>(row);
    EXPECT_EQ(count[row].load(), expected) << row;
  }
}

TEST(WorkerPool, AnErrorReachesTheCallerAndThePoolGoesOn) {
  WorkerPool pool(3);
  EXPECT_THROW(pool.run(8,
                        [](int64_t row) {
                          if (row == 5) fail(ErrorKind::value, "row", "5");
                        }),
               UserError);
  std::atomic<int> rows = 0;
  pool.run(8, [&](int64_t) { ++rows; });
  EXPECT_EQ(rows.load(), 8);
}

TEST(WorkerPool, AThreadThatIsStuckLeavesItsOtherRowsToTheRest) {
  WorkerPool pool(2);
  std::atomic<int> done = 0;
  // Row 15 belongs to the second thread, or to whoever comes first; it ends when all others are done.
  pool.run(16, [&](int64_t row) {
    if (row == 8)
      while (done < 15) std::this_thread::yield();
    else
      ++done;
  });
  EXPECT_EQ(done.load(), 15);
}

// How often every element of [0, n) is visited, and whether thread numbers are as promised.
std::vector<int> visits(int64_t n, int64_t grain) {
  std::vector<std::atomic<int>> count(static_cast<size_t>(n));
  std::atomic<bool> numbered = true;
  const int threads = at::get_num_threads();
  parallel_for(0, n, grain, [&](int64_t begin, int64_t end) {
    numbered = numbered && at::get_thread_num() >= 0 && at::get_thread_num() < threads;
    numbered = numbered && (end - begin >= grain || end == n);
    for (int64_t i = begin; i < end; ++i) ++count[static_cast<size_t>(i)];
  });
  EXPECT_TRUE(numbered);
  return {count.begin(), count.end()};
}

TEST(ParallelFor, VisitsEveryElementOnceOnEitherKindOfThreads) {
  for (const int64_t n : {1, 2, 7, 100, 1000}) {
    for (const int64_t grain : {1, 3, 64}) {
      EXPECT_EQ(visits(n, grain), std::vector<int>(static_cast<size_t>(n), 1));
      const OwnWorkers workers;
      const OwnWorkers again;  // changes nothing
      EXPECT_EQ(visits(n, grain), std::vector<int>(static_cast<size_t>(n), 1));
    }
  }
}

TEST(ParallelFor, InsideOfAnotherLoopItRunsInPlace) {
  const OwnWorkers workers;
  std::atomic<int64_t> total = 0;
  std::atomic<bool> in_place = true;
  parallel_for(0, 16, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto outer = at::get_thread_num();
      parallel_for(0, 100, 1, [&](int64_t b, int64_t e) {
        in_place = in_place && at::get_thread_num() == outer;
        total += e - b;
      });
    }
  });
  EXPECT_TRUE(in_place);
  EXPECT_EQ(total.load(), 1600);
}

TEST(ParallelFor, TheFirstErrorIsThrownAgain) {
  const OwnWorkers workers;
  EXPECT_THROW(parallel_for(0, 100, 1,
                            [](int64_t begin, int64_t) {
                              if (begin > 0) fail(ErrorKind::value, "part", "is broken");
                            }),
               UserError);
}

}  // namespace
}  // namespace plaudit
