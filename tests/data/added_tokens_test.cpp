#include "plaudit/data/added_tokens.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

// "text|#id|..." of the parts.
std::string show(const AddedTokens& tokens, const std::string& text, bool normalized = false,
                 bool parse_special = true) {
  std::string out;
  for (const auto& part : tokens.split(text, normalized, parse_special)) {
    if (!out.empty()) out += "|";
    out += part.id < 0 ? std::string(part.text) : "#" + std::to_string(part.id);
  }
  return out;
}

TEST(AddedTokens, LeftmostThenLongest) {
  const AddedTokens tokens(
      {{.id = 1, .content = "<a"}, {.id = 2, .content = "<a>"}, {.id = 3, .content = "a>"}}, {});
  EXPECT_EQ(show(tokens, "x<a>y<aa>"), "x|#2|y|#1|#3");
  EXPECT_EQ(show(tokens, ""), "");
  EXPECT_EQ(show(tokens, "plain"), "plain");
}

TEST(AddedTokens, StripsWhiteSpaceOnTheSidesThatItsFlagsName) {
  const AddedTokens tokens(
      {{.id = 1, .content = "<l>", .lstrip = true}, {.id = 2, .content = "<r>", .rstrip = true}}, {});
  EXPECT_EQ(show(tokens, "a  <l>  b"), "a|#1|  b");
  EXPECT_EQ(show(tokens, "a  <r> \xC2\xA0 b"), "a  |#2|b");
  EXPECT_EQ(show(tokens, "<r>  <l>"), "#2|#1");
}

TEST(AddedTokens, SingleWords) {
  const AddedTokens tokens({{.id = 1, .content = "no", .single_word = true}}, {});
  EXPECT_EQ(show(tokens, "no, know no\xC3\xA9 no"), "#1|, know no\xC3\xA9 |#1");
}

TEST(AddedTokens, SpecialOnesAreTextWhenUsersTypeThem) {
  const AddedTokens tokens({{.id = 1, .content = "<s>", .special = true}, {.id = 2, .content = "<b>"}}, {});
  EXPECT_EQ(show(tokens, "<s><b>", false, false), "<s>|#2");
}

TEST(AddedTokens, NormalizedOnesAreFoundInNormalizedText) {
  const auto spaces = sentencepiece_normalizer(false);
  const AddedTokens tokens({{.id = 1, .content = "  ", .normalized = true}, {.id = 2, .content = "<s>"}},
                           spaces);
  EXPECT_EQ(show(tokens, spaces("a  b"), true), "a|#1|b");
  EXPECT_EQ(show(tokens, "a  <s>", false), "a  |#2");
}

TEST(AddedTokens, Lookups) {
  const AddedTokens tokens({{.id = 1, .content = "<s>"}, {.id = 4, .content = ""}}, {});
  EXPECT_EQ(tokens.find("<s>")->id, 1);
  EXPECT_EQ(tokens.find("</s>"), nullptr);
  EXPECT_EQ(tokens.find(int64_t{4}), nullptr);
}

}  // namespace
}  // namespace plaudit
