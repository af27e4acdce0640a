#include <gtest/gtest.h>

#include "plaudit/core/files.h"
#include "plaudit/data/byte_level.h"
#include "tests/support/files.h"
#include "tests/support/tiny_model.h"

namespace plaudit {
namespace {

// The keys of a tokenizer of bytes whose token 256 ends an answer.
Json byte_keys() {
  Json tokens = Json::array(), types = Json::array();
  for (int b = 0; b < 256; ++b) {
    tokens.push_back(characters_of_bytes(std::string(1, static_cast<char>(b))));
    types.push_back(1);
  }
  tokens.push_back("<end>");
  types.push_back(3);
  return {{"tokenizer.ggml.model", "gpt2"},         {"tokenizer.ggml.pre", "gpt-2"},
          {"tokenizer.ggml.tokens", tokens},        {"tokenizer.ggml.token_type", types},
          {"tokenizer.ggml.merges", Json::array()}, {"tokenizer.ggml.eos_token_id", 256},
          {"tokenizer.ggml.padding_token_id", 256}};
}

class LanguageModelTest : public ::testing::Test {
 protected:
  LanguageModel model_from_gguf() {
    Transformer::random(tiny_config(), 5)->save_gguf(folder_ / "m.gguf", byte_keys());
    return LanguageModel::load(folder_ / "m.gguf");
  }
  testing::TemporaryFolder folder_;
};

TEST_F(LanguageModelTest, ASavedFolderIsTheSameModel) {
  auto model = model_from_gguf();
  model.save(folder_ / "saved");
  const auto again = LanguageModel::load(folder_ / "saved");
  EXPECT_EQ(again.transformer->fingerprint(), model.transformer->fingerprint());
  EXPECT_EQ(again.tokenizer->encode("hé<end>"), model.tokenizer->encode("hé<end>"));
  EXPECT_EQ(again.tokenizer->stop_ids(), model.tokenizer->stop_ids());
  EXPECT_EQ(again.tokenizer->pad_id(), 256);
  EXPECT_EQ(again.tokenizer->chat_template(), "");
}

TEST_F(LanguageModelTest, ANamedFamilyBecomesTheTemplateOfTheFolder) {
  auto model = model_from_gguf();
  model.chat_family = "gemma";
  model.save(folder_ / "saved");
  const auto again = LanguageModel::load(folder_ / "saved");
  const std::vector<Message> chat = {{"system", "s"}, {"user", "u"}};
  EXPECT_EQ(again.tokenizer->apply_chat(chat, true), model.tokenizer->apply_chat(chat, true, "gemma"));
}

TEST_F(LanguageModelTest, SavingOverItsOwnFolderKeepsIt) {
  auto model = model_from_gguf();
  model.save(folder_ / "saved");
  auto generation = read_json(folder_ / "saved/generation_config.json");
  generation["temperature"] = 0.25;
  write_json(folder_ / "saved/generation_config.json", generation);
  const auto again = LanguageModel::load(folder_ / "saved");
  again.save(folder_ / "saved");
  EXPECT_EQ(read_json(folder_ / "saved/generation_config.json")["temperature"], 0.25);
  EXPECT_EQ(LanguageModel::load(folder_ / "saved").transformer->fingerprint(),
            model.transformer->fingerprint());
}

}  // namespace
}  // namespace plaudit
