#include "plaudit/data/tokenizer_gguf.h"

#include <gtest/gtest.h>

#include "plaudit/data/byte_level.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

// Byte tokens, "he" (256), <|im_start|> (257), <|im_end|> (258).
Json bpe_metadata() {
  Json tokens = Json::array(), types = Json::array();
  for (int b = 0; b < 256; ++b) tokens.push_back(characters_of_bytes(std::string(1, static_cast<char>(b))));
  for (const char* token : {"he", "<|im_start|>", "<|im_end|>"}) tokens.push_back(token);
  for (size_t i = 0; i < tokens.size(); ++i) types.push_back(i < 257 ? 1 : 3);
  return {{"tokenizer.ggml.model", "gpt2"},
          {"tokenizer.ggml.pre", "smollm"},
          {"tokenizer.ggml.tokens", tokens},
          {"tokenizer.ggml.token_type", types},
          {"tokenizer.ggml.merges", {"h e"}},
          {"tokenizer.ggml.bos_token_id", 257},
          {"tokenizer.ggml.eos_token_id", 0},
          {"tokenizer.ggml.add_bos_token", false},
          {"tokenizer.chat_template", "{{ messages[0]['content'] }}"}};
}

// <unk> 0, <s> 1, </s> 2, a run of two spaces 3 (user-defined), ▁ 4, a 5, ▁a 6, byte tokens from 7.
Json spm_metadata() {
  Json tokens = {"<unk>", "<s>", "</s>", "  ", "▁", "a", "▁a"};
  Json types = {2, 3, 3, 4, 1, 1, 1}, scores = {0.0, 0.0, 0.0, 0.0, -3.5, -2.5, -1.5};
  for (int b = 0; b < 256; ++b) {
    tokens.push_back(fmt::format("<0x{:02X}>", b));
    types.push_back(6);
    scores.push_back(0.5);
  }
  return {{"tokenizer.ggml.model", "llama"},      {"tokenizer.ggml.tokens", tokens},
          {"tokenizer.ggml.token_type", types},   {"tokenizer.ggml.scores", scores},
          {"tokenizer.ggml.bos_token_id", 1},     {"tokenizer.ggml.eos_token_id", 2},
          {"tokenizer.ggml.unknown_token_id", 0}, {"tokenizer.ggml.add_space_prefix", false}};
}

class TokenizerGguf : public ::testing::Test {
 protected:
  std::shared_ptr<const Tokenizer> load(const Json& metadata) {
    const auto path = folder_ / "model.gguf";
    save_gguf(path, metadata, {});
    return Tokenizer::load(path);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(TokenizerGguf, ByteLevel) {
  const auto tokenizer = load(bpe_metadata());
  EXPECT_EQ(tokenizer->encode("he<|im_end|>"), (Ids{256, 258}));
  EXPECT_EQ(tokenizer->encode("he", {.add_special = true}), (Ids{256}));  // add_bos_token is false
  EXPECT_EQ(tokenizer->stop_ids(), (Ids{0, 258}));                        // and the end of a turn
  EXPECT_EQ(tokenizer->apply_chat({{"user", "Hi"}}, true), "Hi");
}

TEST_F(TokenizerGguf, Llama3PutsBosAndTakesWholePieces) {
  auto metadata = bpe_metadata();
  metadata["tokenizer.ggml.pre"] = "llama-bpe";
  metadata.erase("tokenizer.ggml.add_bos_token");
  metadata["tokenizer.ggml.tokens"][255] = "hey";
  EXPECT_EQ(load(metadata)->encode("hey", {.add_special = true}), (Ids{257, 255}));
}

TEST_F(TokenizerGguf, SentencePiece) {
  const auto tokenizer = load(spm_metadata());
  EXPECT_EQ(tokenizer->encode("a a   a"), (Ids{5, 6, 3, 6}));
  EXPECT_EQ(tokenizer->encode("a▁a</s>\xC3\xA9", {.add_special = true}),
            (Ids{1, 5, 6, 2, 7 + 0xC3, 7 + 0xA9}));
  EXPECT_EQ(tokenizer->decode({6, 3, 6, 7 + 0xC3, 7 + 0xA9}), " a   a\xC3\xA9");
  auto metadata = spm_metadata();
  metadata.erase("tokenizer.ggml.add_space_prefix");  // on by default
  const auto prefixed = load(metadata);
  EXPECT_EQ(prefixed->encode("a<s>a"), (Ids{6, 1, 6}));
  EXPECT_EQ(prefixed->decode({6, 6}), "a a");
  EXPECT_NE(prefixed->fingerprint(), tokenizer->fingerprint());
}

TEST_F(TokenizerGguf, MistakesAreNamed) {
  const auto refuses = [&](ErrorKind kind, const std::string& named, Json metadata, const Json& value) {
    metadata["tokenizer.ggml." + named] = value;
    testing::expect_error(kind, named, [&] { load(metadata); });
  };
  refuses(ErrorKind::value, "model", bpe_metadata(), "bert");
  refuses(ErrorKind::value, "pre", bpe_metadata(), "qwen");
  refuses(ErrorKind::value, "merges", bpe_metadata(), {"he"});
  refuses(ErrorKind::shape, "token_type", bpe_metadata(), {1});
  refuses(ErrorKind::type, "tokens", spm_metadata(), 3);
  refuses(ErrorKind::shape, "token_type", spm_metadata(), {1, 2});
  refuses(ErrorKind::value, "bos_token_id", spm_metadata(), 100000);
  refuses(ErrorKind::type, "add_bos_token", spm_metadata(), "yes");
  auto metadata = spm_metadata();
  metadata.erase("tokenizer.ggml.scores");
  testing::expect_error(ErrorKind::value, "scores", [&] { load(metadata); });
  metadata.erase("tokenizer.ggml.tokens");
  testing::expect_error(ErrorKind::value, "tokenizer.ggml.tokens", [&] { load(metadata); });
}

TEST_F(TokenizerGguf, BrokenMetadataAreUserErrorsOnly) {
  for (const auto& base : {bpe_metadata(), spm_metadata()}) {
    for (const auto& [name, original] : base.items()) {
      for (const char* text : {"true", "-1", "7", "1.5", "\"x\"", "[\"x\"]", "[1]", "[2.5]", "[true]"}) {
        auto metadata = base;
        metadata[name] = Json::parse(text);
        try {
          load(metadata)->encode("he a  <s>\xFF", {.add_special = true});
        } catch (const UserError&) {
        }
      }
    }
  }
}

}  // namespace
}  // namespace plaudit
