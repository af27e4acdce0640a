#include "plaudit/data/merge.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace plaudit {
namespace {

using Pairs = std::map<std::pair<int32_t, int32_t>, Merge>;

std::vector<int32_t> merged(void (*merge)(std::vector<Symbol>&, const FindMerge&), const Pairs& pairs,
                            const std::vector<int32_t>& ids) {
  std::vector<Symbol> symbols;
  for (size_t i = 0; i < ids.size(); ++i) symbols.push_back({static_cast<uint32_t>(i), 1, ids[i]});
  merge(symbols, [&](const Symbol& left, const Symbol& right, Merge& out) {
    const auto found = pairs.find({left.id, right.id});
    if (found == pairs.end()) return false;
    out = found->second;
    return true;
  });
  std::vector<int32_t> out;
  for (const auto& symbol : symbols) out.push_back(symbol.id);
  return out;
}

TEST(Merge, LowestFirstAndLeftmostOnTies) {
  const Pairs pairs = {{{1, 1}, {0, 2}}, {{2, 1}, {1, 3}}};
  for (const auto merge : {merge_by_scan, merge_by_heap}) {
    EXPECT_EQ(merged(merge, pairs, {1, 1, 1}), (std::vector<int32_t>{3}));
    EXPECT_EQ(merged(merge, pairs, {1, 1, 1, 1}), (std::vector<int32_t>{2, 2}));
    EXPECT_EQ(merged(merge, pairs, {}), (std::vector<int32_t>{}));
    EXPECT_EQ(merged(merge, pairs, {7}), (std::vector<int32_t>{7}));
  }
}

TEST(Merge, ScanAndHeapAgreeOnRandomTables) {
  std::mt19937 random(0);
  const auto draw = [&](int32_t n) { return static_cast<int32_t>(random() % static_cast<uint32_t>(n)); };
  for (int trial = 0; trial < 300; ++trial) {
    Pairs pairs;
    for (int32_t rank = 0; rank < 60; ++rank)
      pairs[{draw(12 + rank / 2), draw(12 + rank / 2)}] = {static_cast<double>(draw(20)), 12 + rank};
    std::vector<int32_t> ids(static_cast<size_t>(draw(200)));
    for (auto& id : ids) id = draw(6);
    ASSERT_EQ(merged(merge_by_scan, pairs, ids), merged(merge_by_heap, pairs, ids)) << "trial " << trial;
  }
}

}  // namespace
}  // namespace plaudit
