#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "plaudit/run/records_artefact.h"

namespace plaudit {
namespace {

std::vector<int> numbers(int n) {
  std::vector<int> out(static_cast<size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

TEST(HoldOut, SplitsAllRecordsAndKeepsTheirOrder) {
  for (int n = 1; n < 60; ++n) {
    for (const double share : {0.0, 0.01, 0.2, 0.5, 0.9}) {
      const auto [kept, held] = hold_out(numbers(n), share, Rng(7, "split"));
      EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
      EXPECT_TRUE(std::is_sorted(held.begin(), held.end()));
      auto all = kept;
      all.insert(all.end(), held.begin(), held.end());
      std::sort(all.begin(), all.end());
      EXPECT_EQ(all, numbers(n));
      const auto expected = static_cast<size_t>(n * share);
      EXPECT_EQ(held.size(), share > 0 && n > 1 ? std::max<size_t>(1, expected) : expected);
    }
  }
}

TEST(HoldOut, IsAFunctionOfTheStream) {
  const auto first = hold_out(numbers(50), 0.3, Rng(1, "split")).second;
  EXPECT_EQ(hold_out(numbers(50), 0.3, Rng(1, "split")).second, first);
  EXPECT_NE(hold_out(numbers(50), 0.3, Rng(2, "split")).second, first);
}

}  // namespace
}  // namespace plaudit
