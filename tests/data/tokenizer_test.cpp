#include "plaudit/data/tokenizer.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

// Token i below 256 is the byte i; 256 is the special token <s>, 257 is " a".
class Bytes : public Tokenizer {
 public:
  explicit Bytes(bool strips = false) {
    bos_id_ = 256;
    add_bos_ = true;
    strips_leading_space_ = strips;
  }
  Ids encode(std::string_view text, const EncodeOptions&) const override {
    Ids ids;
    if (text.starts_with("<s>")) ids.push_back(256);
    for (const char c : text.substr(ids.size() * 3)) ids.push_back(static_cast<uint8_t>(c));
    return ids;
  }
  std::string token_bytes(int64_t id, bool skip_special) const override {
    if (id == 256) return skip_special ? "" : "<s>";
    return id == 257 ? " a" : std::string(1, static_cast<char>(id));
  }
  int64_t vocab_size() const override { return 258; }
  uint64_t fingerprint() const override { return 0; }
  void set_template(const std::string& source) { chat_template_ = source; }
};

TEST(Tokenizer, DecodeRepairsAndSkips) {
  const Bytes tokenizer;
  EXPECT_EQ(tokenizer.decode({256, 'a', 0xE6, 0x97}), "<s>a\xEF\xBF\xBD");
  EXPECT_EQ(tokenizer.decode({256, 'a'}, true), "a");
  EXPECT_EQ(Bytes(true).decode({256, 257, 257}, true), "a a");
}

TEST(Tokenizer, PromptsGetBosExactlyOnce) {
  Bytes tokenizer;
  EXPECT_EQ(tokenizer.encode_prompt({.text = "a", .messages = {}}), (Ids{256, 'a'}));
  EXPECT_EQ(tokenizer.encode_prompt({.text = "<s>a", .messages = {}}), (Ids{256, 'a'}));
  EXPECT_EQ(tokenizer.encode_prompt({.text = "", .messages = {}}), (Ids{256}));
  tokenizer.set_template("{{ bos_token }}{{ messages[0].content }}");
  EXPECT_EQ(tokenizer.encode_prompt({.text = "", .messages = {{"user", "b"}}}), (Ids{256, 'b'}));
}

TEST(Tokenizer, ChatNeedsATemplateOrAFamily) {
  const Bytes tokenizer;
  testing::expect_error(ErrorKind::value, "chatml, smollm2, qwen2, llama3, gemma", [&] {
    tokenizer.apply_chat({{"user", "a"}}, true);
  });
  EXPECT_EQ(tokenizer.apply_chat({{"user", "a"}}, false, "chatml"), "<|im_start|>user\na<|im_end|>\n");
  Bytes templated;
  templated.set_template("x");
  testing::expect_error(ErrorKind::empty, "messages", [&] { templated.apply_chat({}, true); });
}

TEST(StreamDecoder, HoldsBackUnfinishedCharacters) {
  StreamDecoder stream(std::make_shared<Bytes>());
  EXPECT_EQ(stream.push(256), "");
  EXPECT_EQ(stream.push(0xE6), "");
  EXPECT_EQ(stream.push(0x97), "");
  EXPECT_EQ(stream.push(0xA5), "\xE6\x97\xA5");
  EXPECT_EQ(stream.push(0xFF), "\xEF\xBF\xBD");
  EXPECT_EQ(stream.push(0xF0), "");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
}

TEST(StreamDecoder, PartsJoinToTheDecodedText) {
  std::mt19937 random(0);
  for (const bool strips : {false, true}) {
    const auto tokenizer = std::make_shared<Bytes>(strips);
    for (int trial = 0; trial < 2000; ++trial) {
      Ids ids(random() % 12);
      for (auto& id : ids) {
        constexpr int64_t kBytes[] = {'a',  ' ',  0xE6, 0x97, 0xA5, 0xF0, 0x9F,
                                      0x99, 0x82, 0xFF, 0xC3, 256,  257};
        id = kBytes[random() % 13];
      }
      StreamDecoder stream(tokenizer);
      std::string text;
      for (const int64_t id : ids) text += stream.push(id);
      ASSERT_EQ(text + stream.finish(), tokenizer->decode(ids, true)) << "trial " << trial;
    }
  }
}

}  // namespace
}  // namespace plaudit
