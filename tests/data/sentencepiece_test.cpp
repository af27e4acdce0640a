#include "plaudit/data/sentencepiece.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

// 0 <unk>, 1 to 256 the byte tokens, 257 on the given ones.
std::vector<SentencePieceToken> with_bytes(const std::vector<SentencePieceToken>& tokens) {
  std::vector<SentencePieceToken> out = {{"<unk>", 0, TokenType::unknown}};
  for (int b = 0; b < 256; ++b) out.push_back({fmt::format("<0x{:02X}>", b), 0, TokenType::byte});
  out.insert(out.end(), tokens.begin(), tokens.end());
  return out;
}

Ids encode(const SubwordModel& model, const std::string& piece) {
  Ids ids;
  model.encode(piece, ids);
  return ids;
}

TEST(SentencePiece, HighestScoreFirst) {
  const SentencePieceModel model(
      with_bytes({{"a", -9}, {"b", -9}, {"c", -9}, {"ab", -2}, {"bc", -1}, {"abc", -5}}), 0, "test");
  EXPECT_EQ(encode(model, "abc"), (Ids{262}));  // bc, then a + bc
  EXPECT_EQ(encode(model, "ab"), (Ids{260}));
  EXPECT_EQ(encode(model, "aab"), (Ids{257, 260}));
  EXPECT_EQ(encode(model, "\xC3\xA9"), (Ids{1 + 0xC3, 1 + 0xA9}));
}

TEST(SentencePiece, WordsAreCutOnlyWhereNoTokenSpansTheSpace) {
  // "b▁c" spans a space behind b, so text is not cut there.
  const SentencePieceModel model(
      with_bytes(
          {{"a", -9}, {"b", -9}, {"c", -9}, {"▁", -9}, {"▁c", -3}, {"b▁", -2}, {"b▁c", -1}, {"▁a", -4}}),
      0, "test");
  EXPECT_EQ(encode(model, "b▁c"), (Ids{263}));
  EXPECT_EQ(encode(model, "a▁c▁a"), (Ids{257, 261, 264}));
}

TEST(SentencePiece, ControlByteAndUserTokensAreNoText) {
  const SentencePieceModel model(with_bytes({{"<", -1},
                                             {"s", -1},
                                             {">", -1},
                                             {"<s", -1},
                                             {"<s>", 0, TokenType::control},
                                             {"ss", 0, TokenType::user_defined}}),
                                 0, "test");
  EXPECT_EQ(encode(model, "<s>"), (Ids{260, 259}));
  EXPECT_EQ(encode(model, "ss"), (Ids{258, 258}));
  EXPECT_EQ(encode(model, "<0x41>").size(), 6u);
}

TEST(SentencePiece, WithoutByteTokens) {
  const std::vector<SentencePieceToken> tokens = {{"<unk>", 0, TokenType::unknown}, {"a", -1}};
  EXPECT_EQ(encode(SentencePieceModel(tokens, 0, "test"), "ab"), (Ids{1, 0}));
  testing::expect_error(ErrorKind::value, "0x62",
                        [&] { encode(SentencePieceModel(tokens, -1, "test"), "ab"); });
}

TEST(SentencePiece, Bytes) {
  const SentencePieceModel model(with_bytes({{"▁a", -1}}), 0, "test");
  EXPECT_EQ(model.token_bytes(257), " a");
  EXPECT_EQ(model.token_bytes(1 + 0xE2), "\xE2");
  EXPECT_EQ(model.token_bytes(-1), "");
}

TEST(SentencePiece, MistakesAreNamed) {
  testing::expect_error(ErrorKind::nan, "token 0", [] { SentencePieceModel({{"a", NAN}}, -1, "file"); });
  testing::expect_error(ErrorKind::value, "<0xZZ>", [] {
    SentencePieceModel({{"<0xZZ>", 0, TokenType::byte}}, -1, "file");
  });
}

}  // namespace
}  // namespace plaudit
