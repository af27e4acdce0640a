#include "plaudit/data/text.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

TEST(Strip, RemovesUnicodeWhiteSpaceAtBothEnds) {
  EXPECT_EQ(strip(" \t\n a b \r\n"), "a b");
  EXPECT_EQ(strip("\xC2\xA0\xE3\x80\x80"
                  "a\xE2\x80\x89\x1f"),
            "a");
  EXPECT_EQ(strip(" \xC2\x85 "), "");
  EXPECT_EQ(strip(""), "");
}

TEST(Strip, KeepsOtherCharacters) {
  EXPECT_EQ(strip("\xE2\x80\x8B"
                  "a"),
            "\xE2\x80\x8B"
            "a");                            // a zero-width space is no white space
  EXPECT_EQ(strip("\xC3\x85"), "\xC3\x85");  // ends in a byte that U+0085 also ends in
}

}  // namespace
}  // namespace plaudit
