#include "plaudit/eval/meteor.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;
using Ids = std::vector<int64_t>;

Ids random_ids(int64_t kinds) {
  Ids ids(static_cast<size_t>(integer(1, 10)));
  for (auto& id : ids) id = integer(0, kinds);
  return ids;
}

TEST(Meteor, LiesInTheUnitIntervalAndCountsCommonTokens) {
  for_draws(300, [] {
    const auto a = random_ids(4), b = random_ids(4);
    const auto r = meteor(a, b);
    EXPECT_GE(r.score, 0);
    EXPECT_LT(r.score, 1);
    EXPECT_LE(r.chunks, r.matches);
    int64_t common = 0;
    for (int64_t id = 0; id <= 4; ++id)
      common += std::min(std::count(a.begin(), a.end(), id), std::count(b.begin(), b.end(), id));
    EXPECT_EQ(r.matches, common);
  });
}

TEST(Meteor, OfATextWithItselfIsOneChunk) {
  for_draws(100, [] {
    const auto a = random_ids(1000000);
    const auto r = meteor(a, a);
    const auto n = static_cast<double>(a.size());
    EXPECT_NEAR(r.score, 1 - 0.5 / (n * n * n), 1e-12);
  });
}

TEST(MeteorSimilarity, DoesNotDependOnTheOrderOfTheTexts) {
  for_draws(100, [] {
    const auto a = random_ids(3), b = random_ids(3), c = random_ids(3);
    EXPECT_NEAR(meteor_similarity({a, b, c}), meteor_similarity({c, a, b}), 1e-12);
  });
  expect_error(ErrorKind::empty, "sequences", [] { meteor_similarity({{1}}); });
  expect_error(ErrorKind::empty, "sequences", [] { meteor_similarity({{1}, {}}); });
  expect_error(ErrorKind::empty, "hypothesis", [] { meteor({1}, {}); });
  expect_error(ErrorKind::value, "gamma", [] { meteor({1}, {1}, {.gamma = 2}); });
}

}  // namespace
}  // namespace plaudit
