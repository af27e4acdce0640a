#include "plaudit/data/wordpiece.h"

#include <gtest/gtest.h>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

WordPieceOptions options_of(const std::vector<std::string>& tokens) {
  WordPieceOptions options;
  for (size_t i = 0; i < tokens.size(); ++i) options.vocab.emplace_back(tokens[i], static_cast<int64_t>(i));
  return options;
}

Ids encode(const SubwordModel& model, const std::string& word) {
  Ids ids;
  model.encode(word, ids);
  return ids;
}

TEST(WordPiece, LongestPieceFirst) {
  const WordPieceModel model(
      options_of({"[UNK]", "un", "##aff", "##able", "u", "##n", "\xC3\xA9", "##\xC3\xA9"}), "test");
  EXPECT_EQ(encode(model, "unaffable"), (Ids{1, 2, 3}));
  EXPECT_EQ(encode(model, "unx"), (Ids{0}));  // one unknown part makes the whole word unknown
  EXPECT_EQ(encode(model, "\xC3\xA9\xC3\xA9"), (Ids{6, 7}));
  EXPECT_EQ(encode(model, "\xC3\xAA"), (Ids{0}));  // shares its first byte with a token
}

TEST(WordPiece, LongWordsAreUnknown) {
  auto options = options_of({"[UNK]", "a", "##a"});
  const WordPieceModel model(options, "test");
  EXPECT_EQ(encode(model, std::string(100, 'a')).size(), 100u);
  EXPECT_EQ(encode(model, std::string(101, 'a')), (Ids{0}));
}

TEST(WordPiece, Bytes) {
  const WordPieceModel model(options_of({"[UNK]", "a", "##b", "##"}), "test");
  EXPECT_EQ(model.token_bytes(1), " a");
  EXPECT_EQ(model.token_bytes(2), "b");
  EXPECT_EQ(model.token_bytes(3), " ##");
  EXPECT_EQ(model.token_bytes(4), "");
}

TEST(WordPiece, MistakesAreNamed) {
  testing::expect_error(ErrorKind::value, "unk_token",
                        [] { WordPieceModel(options_of({"a"}), "file: model"); });
  testing::expect_error(ErrorKind::value, "the id of 'a'", [] {
    WordPieceOptions options;
    options.vocab = {{"a", -3}};
    WordPieceModel(options, "file: model");
  });
}

}  // namespace
}  // namespace plaudit
