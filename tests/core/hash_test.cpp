#include "plaudit/core/hash.h"

#include <gtest/gtest.h>

#include <set>

namespace plaudit {
namespace {

TEST(Hash, IsFixedForever) {
  // A change here would change every seeded result: these values are part of the contract.
  EXPECT_EQ(hex64(hash64("")), "5b21f68ffa77f14c");
  EXPECT_EQ(hex64(hash64("sample/prompt")), "bbc0d5faedc0695d");
}

TEST(Hash, SeedAndEveryByteMatter) {
  std::set<uint64_t> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    seen.insert(hash64("a", seed));
    seen.insert(hash64("b", seed));
    seen.insert(hash64("ab", seed));
  }
  EXPECT_EQ(seen.size(), 300u);
}

TEST(Hash, Crc32cMatchesPublishedValues) {
  // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

}  // namespace
}  // namespace plaudit
