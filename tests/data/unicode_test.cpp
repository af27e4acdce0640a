#include "plaudit/data/unicode.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

TEST(Unicode, InvalidPartsBecomeOneReplacementEach) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(repair_utf8("a\xFF"
                        "b"),
            "a" + r + "b");
  EXPECT_EQ(repair_utf8("\xE6\x97"), r);  // a truncated character is one part
  EXPECT_EQ(repair_utf8("\xE6\x97"
                        "a"),
            r + "a");
  EXPECT_EQ(repair_utf8("\xC0\xAF"), r + r);                  // overlong
  EXPECT_EQ(repair_utf8("\xED\xA0\x80"), r + r + r);          // a surrogate
  EXPECT_EQ(repair_utf8("\xF4\x90\x80\x80"), r + r + r + r);  // above U+10FFFF
  EXPECT_EQ(repair_utf8("\xF0\x9F\x99\x82 ok"), "\xF0\x9F\x99\x82 ok");
}

TEST(Unicode, ValidityOfLongText) {
  std::string text(100, 'x');
  EXPECT_TRUE(is_valid_utf8(text));
  text[77] = '\x80';
  EXPECT_FALSE(is_valid_utf8(text));
  EXPECT_TRUE(is_valid_utf8(""));
}

TEST(Unicode, IncompleteTailIsHeldBackOnlyWhileItMayBecomeACharacter) {
  EXPECT_EQ(incomplete_tail("abc"), 0u);
  EXPECT_EQ(incomplete_tail("a\xE6"), 1u);
  EXPECT_EQ(incomplete_tail("a\xE6\x97"), 2u);
  EXPECT_EQ(incomplete_tail("a\xE6\x97\xA5"), 0u);
  EXPECT_EQ(incomplete_tail("\xF0\x9F\x99"), 3u);
  EXPECT_EQ(incomplete_tail("\x80\x80\x80"), 0u);
  EXPECT_EQ(incomplete_tail("\xE0\x80"), 0u);  // cannot become valid any more
  EXPECT_EQ(incomplete_tail("\xFF"), 0u);
}

TEST(Unicode, EveryCodePointSurvivesARoundTrip) {
  for (char32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(text, c);
    size_t pos = 0;
    ASSERT_EQ(next_code_point(text, pos), c);
    ASSERT_EQ(pos, text.size());
    ASSERT_TRUE(is_valid_utf8(text));
  }
}

TEST(Unicode, NormalForms) {
  EXPECT_EQ(normalize("e\xCC\x81", NormalForm::nfc), "\xC3\xA9");
  EXPECT_EQ(normalize("\xC3\xA9", NormalForm::nfd), "e\xCC\x81");
  EXPECT_EQ(normalize("\xEF\xAC\x81", NormalForm::nfkc), "fi");
  EXPECT_EQ(normalize("\xEF\xAC\x81", NormalForm::nfc), "\xEF\xAC\x81");
  EXPECT_EQ(normalize(std::string("\0\xC3\xA9", 3), NormalForm::nfd), std::string("\0e\xCC\x81", 4));
}

TEST(Unicode, LowerCase) {
  std::string out;
  for (const char32_t c : {U'A', U'z', char32_t{0xC9}, char32_t{0x130}, char32_t{0x3A3}})
    append_lower(out, c);
  EXPECT_EQ(out, "az\xC3\xA9i\xCC\x87\xCF\x83");
}

TEST(Unicode, Properties) {
  EXPECT_TRUE(is_white_space(0x85));
  EXPECT_FALSE(is_white_space(0x180E));
  EXPECT_TRUE(is_number(0xBD));    // one half
  EXPECT_TRUE(is_number(0x2167));  // Roman eight
  EXPECT_TRUE(is_punctuation(0x3002));
  EXPECT_FALSE(is_punctuation('$'));
  EXPECT_TRUE(is_ascii_punctuation('$'));
  EXPECT_FALSE(is_ascii_punctuation('a'));
  EXPECT_TRUE(is_nonspacing_mark(0x301));
  EXPECT_TRUE(is_control_like(0xAD));
  EXPECT_TRUE(is_control_like(0xE000));
  EXPECT_TRUE(is_word_character('_'));
  EXPECT_FALSE(is_word_character('-'));
}

TEST(Unicode, StripsAtOneEnd) {
  EXPECT_EQ(strip_left(" \xC2\xA0"
                       "a "),
            "a ");
  EXPECT_EQ(strip_right(" a\x1F\n"), " a");
  EXPECT_EQ(strip_left("  "), "");
}

}  // namespace
}  // namespace plaudit
