#include "plaudit/data/pre_tokenizer.h"

#include <gtest/gtest.h>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using Texts = std::vector<std::string>;

Texts cut(const PreTokenizer& pre_tokenizer, const std::string& text) {
  Pieces pieces;
  pre_tokenizer.split(text, true, pieces);
  return {pieces.views.begin(), pieces.views.end()};
}

Texts cut(const std::string& json, const std::string& text) {
  const auto value = nlohmann::json::parse(json);
  return cut(PreTokenizer::from_json({value, "tokenizer.json", "pre_tokenizer"}), text);
}

std::string split_of(const std::string& behavior, bool invert) {
  return R"({"type": "Split", "pattern": {"String": "-"}, "behavior": ")" + behavior + R"(", "invert": )" +
         (invert ? "true}" : "false}");
}

TEST(PreTokenizer, SplitBehaviors) {
  const std::string text = "a--b-";
  EXPECT_EQ(cut(split_of("Removed", false), text), (Texts{"a", "b"}));
  EXPECT_EQ(cut(split_of("Isolated", false), text), (Texts{"a", "-", "-", "b", "-"}));
  EXPECT_EQ(cut(split_of("MergedWithPrevious", false), text), (Texts{"a-", "-", "b-"}));
  EXPECT_EQ(cut(split_of("MergedWithNext", false), text), (Texts{"a", "-", "-b", "-"}));
  EXPECT_EQ(cut(split_of("Contiguous", false), text), (Texts{"a", "--", "b", "-"}));
  EXPECT_EQ(cut(split_of("Removed", true), text), (Texts{"-", "-", "-"}));
}

TEST(PreTokenizer, SmolLmLooksAheadOnlyInsideItsPiece) {
  // The spaces before the digit are a piece of their own, so the last one does not join it.
  EXPECT_EQ(cut(PreTokenizer::named("smollm"), "a  1b"), (Texts{"a", "  ", "1", "b"}));
  EXPECT_EQ(cut(PreTokenizer::named("gpt2"), "a  1b"), (Texts{"a", " ", " 1", "b"}));
}

TEST(PreTokenizer, OtherTypes) {
  EXPECT_EQ(cut(R"({"type": "Digits", "individual_digits": false})", "a12b"), (Texts{"a", "12", "b"}));
  EXPECT_EQ(cut(R"({"type": "Digits", "individual_digits": true})", "a12"), (Texts{"a", "1", "2"}));
  EXPECT_EQ(cut(R"({"type": "Punctuation"})", "a,b"), (Texts{"a", ",", "b"}));
  EXPECT_EQ(cut(R"({"type": "Whitespace"})", "a, b"), (Texts{"a", ",", "b"}));
  EXPECT_EQ(cut(R"({"type": "WhitespaceSplit"})", " a,  b"), (Texts{"a,", "b"}));
  EXPECT_EQ(cut(R"({"type": "BertPreTokenizer"})", "a,$ b"), (Texts{"a", ",", "$", "b"}));
  EXPECT_EQ(cut(R"({"type": "ByteLevel", "add_prefix_space": true})", "a b"), (Texts{" a", " b"}));
  EXPECT_EQ(cut(R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false})", "a b"),
            (Texts{"a b"}));
}

TEST(PreTokenizer, Metaspace) {
  const auto metaspace = [](const std::string& scheme, const std::string& split) {
    return R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": ")" + scheme + R"(", "split": )" +
           split + "}";
  };
  EXPECT_EQ(cut(metaspace("always", "true"), "a b"), (Texts{"▁a", "▁b"}));
  EXPECT_EQ(cut(metaspace("never", "false"), "a b"), (Texts{"a▁b"}));
  EXPECT_EQ(cut(metaspace("first", "false"), " a"), (Texts{"▁a"}));
}

TEST(PreTokenizer, PiecesThatAStepChangedStayAlive) {
  // Short strings live inside their objects: they must not move while views of them exist.
  const std::string json =
      R"({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "ByteLevel"}]})";
  Texts expected;
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "w ";
    expected.push_back(" w");
  }
  EXPECT_EQ(cut(json, text), expected);
}

TEST(PreTokenizer, MistakesAreNamed) {
  testing::expect_error(ErrorKind::value, "smolm", [] { PreTokenizer::named("smolm"); });
  testing::expect_error(ErrorKind::value, "pre_tokenizer.type", [] { cut(R"({"type": "Digit"})", ""); });
  testing::expect_error(ErrorKind::value, "behavior", [] { cut(split_of("Isolate", false), ""); });
  testing::expect_error(ErrorKind::value, "pattern.Regex", [] {
    cut(R"json({"type": "Split", "pattern": {"Regex": "(?R)"}, "behavior": "Isolated"})json", "");
  });
}

}  // namespace
}  // namespace plaudit
