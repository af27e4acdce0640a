#include "plaudit/data/bpe.h"

#include <gtest/gtest.h>

#include "plaudit/data/byte_level.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

BpeOptions bytes_and(const std::vector<std::pair<std::string, std::string>>& merges) {
  BpeOptions options;
  for (int b = 0; b < 256; ++b)
    options.vocab.emplace_back(characters_of_bytes(std::string(1, static_cast<char>(b))), b);
  for (const auto& [left, right] : merges)
    options.vocab.emplace_back(left + right, static_cast<int64_t>(options.vocab.size()));
  options.merges = merges;
  return options;
}

Ids encode(const SubwordModel& model, const std::string& piece) {
  Ids ids;
  model.encode(piece, ids);
  return ids;
}

TEST(Bpe, MergesByRank) {
  const BpeModel model(bytes_and({{"l", "o"}, {"lo", "w"}, {"e", "r"}, {"low", "er"}}), "test");
  EXPECT_EQ(encode(model, "lower"), (Ids{259}));
  EXPECT_EQ(encode(model, "lowe"), (Ids{257, 'e'}));
  EXPECT_EQ(encode(model, "\xC3\xA9"), (Ids{0xC3, 0xA9}));
  EXPECT_EQ(model.token_bytes(259), "lower");
  EXPECT_EQ(model.token_bytes(0xC3), "\xC3");
  EXPECT_EQ(model.token_bytes(9999), "");
}

TEST(Bpe, ATokenThatNoMergeReachesIsOneTokenOnlyWithIgnoreMerges) {
  auto options = bytes_and({{"a", "b"}});
  options.vocab.emplace_back("abc", 257);  // there is no merge that makes it
  const BpeModel plain(options, "test");
  for (int again = 0; again < 3; ++again) EXPECT_EQ(encode(plain, "abc"), (Ids{256, 'c'}));
  options.ignore_merges = true;
  EXPECT_EQ(encode(BpeModel(options, "test"), "abc"), (Ids{257}));
}

TEST(Bpe, MissingBytes) {
  auto options = bytes_and({{"a", "b"}});
  std::erase_if(options.vocab, [](const auto& entry) { return entry.second == 'x'; });
  EXPECT_EQ(encode(BpeModel(options, "test"), "axb"), (Ids{256}));  // dropped, and its neighbours meet
  options.unk_token = "?";
  EXPECT_EQ(encode(BpeModel(options, "test"), "axxb"), (Ids{'a', '?', '?', 'b'}));
  options.fuse_unk = true;
  EXPECT_EQ(encode(BpeModel(options, "test"), "axxb"), (Ids{'a', '?', 'b'}));
}

TEST(Bpe, CharactersFallBackToBytes) {
  BpeOptions options;
  options.byte_level = false;
  for (int b = 0; b < 256; ++b) options.vocab.emplace_back(fmt::format("<0x{:02X}>", b), b);
  options.vocab.insert(options.vocab.end(), {{"▁", 256}, {"a", 257}, {"▁a", 258}});
  options.merges = {{"▁", "a"}};
  const BpeModel model(options, "test");
  EXPECT_EQ(encode(model, "▁a\xC3\xA9"), (Ids{258, 0xC3, 0xA9}));
  EXPECT_EQ(encode(model, "<0x41>"), (Ids{'<', '0', 'x', '4', '1', '>'}));  // text is never a byte token
  EXPECT_EQ(model.token_bytes(258), " a");
  EXPECT_EQ(model.token_bytes(0x41), "A");
}

TEST(Bpe, LongPiecesTakeTheHeap) {
  const BpeModel model(bytes_and({{"a", "a"}, {"aa", "aa"}}), "test");
  EXPECT_EQ(encode(model, std::string(100'001, 'a')).size(), 25'001u);
}

TEST(Bpe, MistakesAreNamed) {
  testing::expect_error(ErrorKind::value, "merges[0]", [] {
    auto options = bytes_and({});
    options.merges = {{"a", "zz"}};
    BpeModel(options, "file: model");
  });
  testing::expect_error(ErrorKind::value, "unk_token", [] {
    auto options = bytes_and({});
    options.unk_token = "<unk>";
    BpeModel(options, "file: model");
  });
  for (const int64_t id : {int64_t{-1}, int64_t{1} << 40}) {
    testing::expect_error(ErrorKind::value, "the id of 'x'", [&] {
      BpeOptions options;
      options.vocab = {{"x", id}};
      BpeModel(options, "file: model");
    });
  }
  testing::expect_error(ErrorKind::value, "<0x00>", [] {
    BpeOptions options;
    options.vocab = {{"a", 0}};
    options.byte_level = false;
    BpeModel(options, "file: model");
  });
}

}  // namespace
}  // namespace plaudit
