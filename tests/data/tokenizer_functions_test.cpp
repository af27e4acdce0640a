#include <gtest/gtest.h>

#include "plaudit/core/call.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

Json ids(const std::string& function, const Json& arguments) {
  return call_function("decode." + function, arguments).at("ids");
}

TEST(PreTokenizeFunction, PiecesStayTextsEvenWhenTheyLookLikeJson) {
  const auto out = call_function("decode.pre_tokenize", {{"text", "[] {}"}, {"kind", "gpt2"}});
  EXPECT_EQ(out.at("pieces"), Json({"[]", " {}"}));
  testing::expect_error(ErrorKind::value, "kind", [] {
    call_function("decode.pre_tokenize", {{"text", ""}, {"kind", "gpt3"}});
  });
}

TEST(BpeEncodeFunction, VocabulariesInFull) {
  EXPECT_EQ(ids("bpe_encode", {{"text", "ab"}, {"merges", {"a b"}}}), Json({256}));
  EXPECT_EQ(ids("bpe_encode", {{"text", "ab"}, {"merges", Json::array()}, {"vocab", {{"a", 3}, {"b", 1}}}}),
            Json({3, 1}));
  const auto refuses = [](ErrorKind kind, const std::string& named, const Json& arguments) {
    testing::expect_error(kind, named, [&] { ids("bpe_encode", arguments); });
  };
  refuses(ErrorKind::value, "merges[0]", {{"text", ""}, {"merges", Json::array({Json::array({"a", "zz"})})}});
  refuses(ErrorKind::value, "merges", {{"text", ""}, {"merges", {"ab"}}});
  refuses(ErrorKind::type, "merges", {{"text", ""}, {"merges", 3}});
  refuses(ErrorKind::type, "vocab", {{"text", ""}, {"merges", Json::array()}, {"vocab", "unknown rule"}});
  refuses(ErrorKind::value, "pre_tokenizer",
          {{"text", ""}, {"merges", Json::array()}, {"pre_tokenizer", "x"}});
  refuses(ErrorKind::type, "special_tokens",
          {{"text", ""}, {"merges", Json::array()}, {"special_tokens", {1}}});
}

TEST(SpmEncodeFunction, TypesAndByteTokens) {
  const Json tokens = {{"<unk>", 0}, {"▁", -3}, {"a", -2}, {"▁▁", 0, 4}, {"<s>", 0, 3}};
  EXPECT_EQ(ids("spm_encode", {{"text", "<s>   a"}, {"tokens", tokens}, {"add_space_prefix", false}}),
            Json({4, 3, 1, 2}));
  EXPECT_EQ(ids("spm_encode", {{"text", "b"}, {"tokens", tokens}, {"add_space_prefix", false}}),
            Json::array({0}));
  EXPECT_EQ(ids("spm_encode",
                {{"text", "b"}, {"tokens", tokens}, {"add_space_prefix", false}, {"byte_tokens_from", 5}}),
            Json({5 + 'b'}));
  testing::expect_error(ErrorKind::value, "byte_tokens_from", [&] {
    ids("spm_encode", {{"text", "b"}, {"tokens", tokens}, {"byte_tokens_from", 6}});
  });
  testing::expect_error(ErrorKind::empty, "tokens", [] {
    ids("spm_encode", {{"text", "b"}, {"tokens", Json::array()}});
  });
}

TEST(WordpieceEncodeFunction, SpecialTokensAndLength) {
  const Json vocab = {"[UNK]", "[CLS]", "[SEP]", "a", "b", "[MASK]"};
  EXPECT_EQ(ids("wordpiece_encode", {{"text", "A [MASK]b"}, {"vocab", vocab}}), Json({1, 3, 5, 4, 2}));
  EXPECT_EQ(ids("wordpiece_encode", {{"text", "A"}, {"vocab", vocab}, {"lower_case", false}}),
            Json({1, 0, 2}));
  EXPECT_EQ(ids("wordpiece_encode", {{"text", "a b a"}, {"vocab", vocab}, {"max_length", 4}}),
            Json({1, 3, 4, 2}));
  testing::expect_error(ErrorKind::empty, "vocab", [] {
    ids("wordpiece_encode", {{"text", ""}, {"vocab", Json::array()}});
  });
  testing::expect_error(ErrorKind::value, "vocab", [] {
    ids("wordpiece_encode", {{"text", ""}, {"vocab", {"[UNK]"}}});
  });
  testing::expect_error(ErrorKind::value, "max_length", [&] {
    ids("wordpiece_encode", {{"text", ""}, {"vocab", vocab}, {"max_length", 2}});
  });
}

}  // namespace
}  // namespace plaudit
