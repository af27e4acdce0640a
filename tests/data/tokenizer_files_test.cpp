#include "plaudit/data/tokenizer_files.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "plaudit/core/files.h"
#include "plaudit/data/byte_level.h"
#include "plaudit/data/pre_tokenizer.h"
#include "plaudit/data/tokenizer.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

const std::vector<std::string> kTexts = {"",     "he hey 12 3",  "a   a  \n", "a▁a<s>é</s>",
                                         "\x01", "he<|im_end|>", "        a", "aaaa he aa"};

// Byte tokens, some merges, <|im_start|> and <|im_end|>.
Json bpe_metadata() {
  Json tokens = Json::array(), types = Json::array();
  for (int b = 0; b < 256; ++b) tokens.push_back(characters_of_bytes(std::string(1, static_cast<char>(b))));
  for (const char* token : {"he", "hey", "Ġhe", "<|im_start|>", "<|im_end|>"}) tokens.push_back(token);
  for (size_t i = 0; i < tokens.size(); ++i) types.push_back(i < 259 ? 1 : 3);
  return {{"tokenizer.ggml.model", "gpt2"},
          {"tokenizer.ggml.pre", "smollm"},
          {"tokenizer.ggml.tokens", tokens},
          {"tokenizer.ggml.token_type", types},
          {"tokenizer.ggml.merges", {"h e", "he y", "Ġ he"}},
          {"tokenizer.ggml.bos_token_id", 259},
          {"tokenizer.ggml.eos_token_id", 260},
          {"tokenizer.ggml.add_bos_token", false},
          {"tokenizer.chat_template", "{{ messages[0]['content'] }}"}};
}

// <unk>, <s>, </s>, two and three spaces (user-defined where no space stands before a text), pieces of a's,
// byte tokens.
Json spm_metadata(bool prefix) {
  Json tokens = {"<unk>", "<s>", "</s>", "  ", "   ", "▁", "a", "▁a", "aa", "aaa", "h", "e", "he", "▁he"};
  const int spaces = prefix ? 5 : 4;  // unused : user-defined
  Json types = {2, 3, 3, spaces, spaces}, scores = {0.0, 0.0, 0.0, 0.0, 0.0};
  while (scores.size() < tokens.size()) {
    types.push_back(1);
    scores.push_back(-static_cast<double>(scores.size()));
  }
  for (int b = 0; b < 256; ++b) {
    tokens.push_back(fmt::format("<0x{:02X}>", b));
    types.push_back(6);
    scores.push_back(0.5);
  }
  return {{"tokenizer.ggml.model", "llama"},      {"tokenizer.ggml.tokens", tokens},
          {"tokenizer.ggml.token_type", types},   {"tokenizer.ggml.scores", scores},
          {"tokenizer.ggml.bos_token_id", 1},     {"tokenizer.ggml.eos_token_id", 2},
          {"tokenizer.ggml.unknown_token_id", 0}, {"tokenizer.ggml.add_space_prefix", prefix}};
}

class TokenizerFiles : public ::testing::Test {
 protected:
  std::string gguf(const Json& metadata) {
    const auto path = folder_ / "model.gguf";
    save_gguf(path, metadata, {});
    return path;
  }
  void expect_same(const Tokenizer& a, const Tokenizer& b) {
    for (const auto& text : kTexts) {
      for (const bool special : {false, true}) {
        const auto ids = a.encode(text, {.add_special = special});
        EXPECT_EQ(ids, b.encode(text, {.add_special = special})) << text;
        EXPECT_EQ(a.decode(ids), b.decode(ids)) << text;
      }
    }
    EXPECT_EQ(a.bos_id(), b.bos_id());
    EXPECT_EQ(a.unk_id(), b.unk_id());
    EXPECT_EQ(a.eos_id(), b.eos_id());
    EXPECT_EQ(a.adds_bos(), b.adds_bos());
    EXPECT_EQ(a.vocab_size(), b.vocab_size());
    EXPECT_EQ(a.chat_template(), b.chat_template());
  }

  testing::TemporaryFolder folder_;
};

TEST_F(TokenizerFiles, GgufToFolderAndBack) {
  for (const auto& metadata : {bpe_metadata(), spm_metadata(false), spm_metadata(true)}) {
    const auto first = Tokenizer::load(gguf(metadata));
    first->save(folder_ / "saved");
    const auto second = Tokenizer::load(folder_ / "saved");
    expect_same(*first, *second);
    second->save(folder_ / "copy");
    EXPECT_EQ(Tokenizer::load(folder_ / "copy")->fingerprint(), second->fingerprint());
    const auto third = Tokenizer::load(gguf(tokenizer_to_gguf(folder_ / "saved", second->vocab_size())));
    expect_same(*first, *third);
    for (const auto* folder : {"saved", "copy"}) std::filesystem::remove_all(folder_ / folder);
  }
}

TEST_F(TokenizerFiles, EveryNamedPreTokenizerIsFoundAgain) {
  for (const auto& name : PreTokenizer::names()) {
    const auto json = PreTokenizer::json_of(name);
    EXPECT_EQ(PreTokenizer::name_of({json, "f", "k"}), name);
    auto metadata = bpe_metadata();
    metadata["tokenizer.ggml.pre"] = gguf_pre_name(name);
    const auto first = Tokenizer::load(gguf(metadata));
    first->save(folder_ / "saved");
    expect_same(*first, *Tokenizer::load(folder_ / "saved"));
  }
  const nlohmann::json other = {{"type", "WhitespaceSplit"}};
  EXPECT_EQ(PreTokenizer::name_of({other, "f", "k"}), "");
}

TEST_F(TokenizerFiles, MissingIdsBecomeUnusedTokens) {
  Tokenizer::load(gguf(bpe_metadata()))->save(folder_ / "saved");
  const auto keys = tokenizer_to_gguf(folder_ / "saved", 270);
  EXPECT_EQ(keys["tokenizer.ggml.tokens"].size(), 270u);
  EXPECT_EQ(keys["tokenizer.ggml.token_type"][265], 5);
  EXPECT_EQ(keys["tokenizer.ggml.pre"], "smollm");
  EXPECT_EQ(Tokenizer::load(gguf(keys))->encode("[PAD265]").size(), 8u);  // no text becomes one
}

TEST_F(TokenizerFiles, UserDefinedTokensBehindASpacePrefixAreRefused) {
  auto metadata = spm_metadata(true);
  metadata["tokenizer.ggml.token_type"][3] = 4;
  const auto tokenizer = Tokenizer::load(gguf(metadata));
  EXPECT_EQ(tokenizer->encode(" a"), (std::vector<int64_t>{3, 6}));
  testing::expect_error(ErrorKind::value, "tokenizer.ggml.add_space_prefix",
                        [&] { tokenizer->save(folder_ / "saved"); });
  EXPECT_FALSE(std::filesystem::exists(folder_ / "saved"));
}

TEST_F(TokenizerFiles, WhatAGgufFileCannotHoldIsRefused) {
  Tokenizer::load(gguf(bpe_metadata()))->save(folder_ / "saved");
  testing::expect_error(ErrorKind::value, "must be in [0, 100)",
                        [&] { tokenizer_to_gguf(folder_ / "saved", 100); });
  auto json = read_json(folder_ / "saved/tokenizer.json");
  const auto refuses = [&](const std::string& named, const std::function<void(Json&)>& change) {
    auto changed = json;
    change(changed);
    write_json(folder_ / "saved/tokenizer.json", changed);
    testing::expect_error(ErrorKind::value, named, [&] { tokenizer_to_gguf(folder_ / "saved", 300); });
  };
  refuses("pre_tokenizer", [](Json& j) {
    j["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", true}};
  });
  refuses("post_processor", [](Json& j) {
    j["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"a", 1}}, {"sep", {"b", 2}}};
  });
}

TEST_F(TokenizerFiles, ATokenizerMadeInMemoryHasNothingToSave) {
  class Empty : public Tokenizer {
    std::vector<int64_t> encode(std::string_view, const EncodeOptions&) const override { return {}; }
    std::string token_bytes(int64_t, bool) const override { return ""; }
    int64_t vocab_size() const override { return 0; }
    uint64_t fingerprint() const override { return 0; }
  };
  testing::expect_error(ErrorKind::value, "made in memory", [&] { Empty().save(folder_ / "x"); });
}

}  // namespace
}  // namespace plaudit
