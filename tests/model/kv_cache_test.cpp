#include "plaudit/model/kv_cache.h"

#include <gtest/gtest.h>

namespace plaudit::decode {
namespace {

TEST(KvCache, ForksShareTheirParentsBlocks) {
  KvCache<float> cache({.windows = {0, 0}, .kv_heads = 1, .head_dim = 8});
  const auto parent = cache.open();
  cache.extend(parent, 100);  // two blocks
  const auto a = cache.fork(parent), b = cache.fork(parent);
  cache.extend(a, 1);
  cache.extend(b, 1);
  EXPECT_EQ(cache.used_blocks(), 4);
  EXPECT_EQ(cache.length(a), 101);
  cache.close(parent);
  EXPECT_EQ(cache.used_blocks(), 4);
  cache.close(a);
  EXPECT_EQ(cache.used_blocks(), 3);
  cache.close(b);
  EXPECT_EQ(cache.used_blocks(), 0);
}

// Whoever is left alone with a shared block still appends to a new one: the layout is a function of the
// sequence alone.
TEST(KvCache, LayoutDoesNotDependOnOtherForks) {
  KvCache<float> cache({.windows = {0}, .kv_heads = 1, .head_dim = 8});
  const auto parent = cache.open();
  cache.extend(parent, 10);
  const auto child = cache.fork(parent);
  cache.close(parent);
  cache.extend(child, 3);
  std::vector<KeyBlock<float>> blocks;
  cache.blocks(child, 0, 0, blocks);
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[1].first, 10);
  EXPECT_EQ(blocks[1].count, 3);
}

TEST(KvCache, GivesBackWhatTheWindowHasPassed) {
  KvCache<float> cache({.windows = {100, 0}, .kv_heads = 1, .head_dim = 8});
  const auto s = cache.open();
  for (int i = 0; i < 300; ++i) {
    cache.trim(s);
    cache.extend(s, 1);
  }
  std::vector<KeyBlock<float>> blocks;
  cache.blocks(s, 0, 0, blocks);
  EXPECT_LE(blocks.front().first, 299 - 99);  // the oldest key that position 299 sees
  EXPECT_LE(blocks.size(), 3u);
  cache.blocks(s, 1, 0, blocks);
  EXPECT_EQ(blocks.size(), 5u);
}

}  // namespace
}  // namespace plaudit::decode
