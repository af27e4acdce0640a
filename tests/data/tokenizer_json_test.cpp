#include "plaudit/data/tokenizer_json.h"

#include <gtest/gtest.h>

#include "plaudit/data/byte_level.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

// A byte-level tokenizer with two merges and the special tokens <s> (260), </s> (261) and <end> (262).
Json small_tokenizer() {
  Json vocab = Json::object();
  for (int b = 0; b < 256; ++b) vocab[characters_of_bytes(std::string(1, static_cast<char>(b)))] = b;
  vocab["he"] = 256;
  vocab["Ġt"] = 257;
  Json added = Json::array();
  int64_t id = 260;
  for (const std::string content : {"<s>", "</s>", "<end>"})
    added.push_back({{"id", id++}, {"content", content}, {"special", true}});
  return {{"added_tokens", added},
          {"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}},
            {"special_tokens", {{"<s>", {{"ids", {260}}}}}}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", vocab},
            {"merges", {"h e", {"Ġ", "t"}}},
            {"dropout", nullptr},
            {"unk_token", nullptr}}}};
}

class TokenizerJson : public ::testing::Test {
 protected:
  std::shared_ptr<const Tokenizer> load(const Json& tokenizer) {
    write("tokenizer.json", tokenizer);
    return Tokenizer::load(folder_.path().string());
  }
  void write(const std::string& name, const Json& value) {
    testing::write_bytes(folder_ / name, value.dump());
  }

  testing::TemporaryFolder folder_;
};

TEST_F(TokenizerJson, EncodesAndDecodes) {
  const auto tokenizer = load(small_tokenizer());
  EXPECT_EQ(tokenizer->encode("he t"), (Ids{256, 257}));
  EXPECT_EQ(tokenizer->encode("<s>he</s>", {.add_special = true}), (Ids{260, 256, 261}));  // BOS once
  EXPECT_EQ(tokenizer->encode("he", {.add_special = true}), (Ids{260, 256}));
  EXPECT_EQ(tokenizer->encode("<s>", {.parse_special = false}), (Ids{'<', 's', '>'}));
  EXPECT_EQ(tokenizer->encode("e\xCC\x81"), (Ids{0xC3, 0xA9}));  // NFC
  EXPECT_EQ(tokenizer->vocab_size(), 263);
  EXPECT_EQ(tokenizer->decode({256, 261, 257}), "he</s> t");
  EXPECT_EQ(tokenizer->decode({256, 261, 257}, true), "he t");
  EXPECT_EQ(tokenizer->bos_id(), -1);  // no file says which token it is
}

TEST_F(TokenizerJson, TheOtherFilesOfAModel) {
  write("tokenizer_config.json", {{"bos_token", "<s>"},
                                  {"eos_token", {{"content", "</s>"}}},
                                  {"chat_template",
                                   {{{"name", "tool_use"}, {"template", "t"}},
                                    {{"name", "default"}, {"template", "{{ messages[0].content }}"}}}}});
  write("generation_config.json", {{"eos_token_id", {262, 261}}});
  write("config.json", {{"eos_token_id", 5}});
  const auto tokenizer = load(small_tokenizer());
  EXPECT_EQ(tokenizer->bos_id(), 260);
  EXPECT_EQ(tokenizer->eos_id(), 261);
  EXPECT_EQ(tokenizer->stop_ids(), (Ids{261, 262}));  // generation_config.json hides config.json
  EXPECT_TRUE(tokenizer->adds_bos());
  EXPECT_EQ(tokenizer->apply_chat({{"user", "Hi"}}, true), "Hi");
  testing::write_bytes(folder_ / "chat_template.jinja", "{{ bos_token }}he");
  const auto other = load(small_tokenizer());
  EXPECT_EQ(other->encode_prompt({.text = "", .messages = {{"user", "Hi"}}}), (Ids{260, 256}));
  EXPECT_EQ(other->encode_prompt({.text = "he", .messages = {}}), (Ids{260, 256}));
  EXPECT_NE(tokenizer->fingerprint(), other->fingerprint());
}

TEST_F(TokenizerJson, FlagsAddBosAndEosWithoutATemplate) {
  auto json = small_tokenizer();
  json["post_processor"] = {{"type", "ByteLevel"}};
  write("tokenizer_config.json",
        {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"add_bos_token", true}, {"add_eos_token", true}});
  const auto tokenizer = load(json);
  EXPECT_EQ(tokenizer->encode("he", {.add_special = true}), (Ids{260, 256, 261}));
  EXPECT_EQ(tokenizer->encode_prompt({.text = "he", .messages = {}}),
            (Ids{260, 256}));  // a prompt does not end
}

TEST_F(TokenizerJson, FingerprintsFollowTheContents) {
  const auto base = load(small_tokenizer())->fingerprint();
  EXPECT_EQ(load(small_tokenizer())->fingerprint(), base);
  const auto changed = [&](const std::function<void(Json&)>& change) {
    auto json = small_tokenizer();
    change(json);
    EXPECT_NE(load(json)->fingerprint(), base);
  };
  changed([](Json& j) { j["model"]["merges"].erase(1); });
  changed([](Json& j) { j["normalizer"]["type"] = "NFD"; });
  changed([](Json& j) { j["added_tokens"][0]["lstrip"] = true; });
  changed([](Json& j) { j["model"]["ignore_merges"] = true; });
  changed([](Json& j) { j["post_processor"] = nullptr; });
}

TEST_F(TokenizerJson, SpaceRunsOfASentencePieceVocabularyAreFoundAfterReplacement) {
  Json vocab = Json::object();
  for (int b = 0; b < 256; ++b) vocab[fmt::format("<0x{:02X}>", b)] = b;
  vocab["▁"] = 256;
  vocab["▁▁"] = 257;
  vocab["▁▁▁"] = 258;
  const Json json = {
      {"added_tokens", {{{"id", 258}, {"content", "▁▁▁"}, {"special", false}, {"normalized", false}}}},
      {"normalizer", {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}},
      {"model", {{"type", "BPE"}, {"byte_fallback", true}, {"vocab", vocab}, {"merges", {"▁ ▁"}}}}};
  EXPECT_EQ(load(json)->encode("     "), (Ids{258, 257}));
  EXPECT_EQ(load(json)->decode({258, 257}), "     ");
}

TEST_F(TokenizerJson, MistakesAreNamed) {
  const auto refuses = [&](ErrorKind kind, const std::string& named,
                           const std::function<void(Json&)>& change) {
    auto json = small_tokenizer();
    change(json);
    testing::expect_error(kind, named, [&] { load(json); });
  };
  refuses(ErrorKind::value, "'model'", [](Json& j) { j.erase("model"); });
  refuses(ErrorKind::value, "model.type", [](Json& j) { j["model"]["type"] = "Unigram"; });
  refuses(ErrorKind::value, "merges[1]", [](Json& j) { j["model"]["merges"][1] = "q Ġz"; });
  refuses(ErrorKind::value, "model.merges[0]", [](Json& j) { j["model"]["merges"][0] = "h"; });
  refuses(ErrorKind::type, "model.vocab", [](Json& j) { j["model"]["vocab"]["he"] = "x"; });
  refuses(ErrorKind::value, "model.dropout", [](Json& j) { j["model"]["dropout"] = 0.1; });
  refuses(ErrorKind::value, "byte_fallback", [](Json& j) { j.erase("pre_tokenizer"); });
  refuses(ErrorKind::value, "added_tokens[0].id", [](Json& j) { j["added_tokens"][0]["id"] = -4; });
  refuses(ErrorKind::value, "post_processor.type", [](Json& j) { j["post_processor"]["type"] = "Template"; });
  refuses(ErrorKind::value, "special_tokens.<s>",
          [](Json& j) { j["post_processor"]["special_tokens"].erase("<s>"); });
  write("tokenizer_config.json", {{"eos_token", "<eos>"}});
  testing::expect_error(ErrorKind::value, "tokenizer_config.json: eos_token",
                        [&] { load(small_tokenizer()); });
  testing::write_bytes(folder_ / "tokenizer.json", "{\"model\": ");
  testing::expect_error(ErrorKind::type, "tokenizer.json",
                        [&] { Tokenizer::load(folder_ / "tokenizer.json"); });
  testing::expect_error(ErrorKind::io, "nowhere", [&] { Tokenizer::load(folder_ / "nowhere"); });
}

TEST_F(TokenizerJson, EveryPrefixIsRefused) {
  const auto whole = small_tokenizer().dump();
  for (size_t size = 0; size < whole.size(); size += size < 64 ? 1 : 7) {
    testing::write_bytes(folder_ / "tokenizer.json", whole.substr(0, size));
    testing::expect_error(ErrorKind::type, "tokenizer.json",
                          [&] { Tokenizer::load(folder_ / "tokenizer.json"); });
  }
}

// Every value of the file in turn is removed or replaced by one of another type: the load may succeed, or
// refuse with a UserError, and nothing else.
class Mutator {
 public:
  Mutator(const Json& file, std::function<void(const Json&)> attempt)
      : file_(file), attempt_(std::move(attempt)) {}

  int run() {
    visit(file_);
    return attempts_;
  }

 private:
  void visit(Json& value) {
    const Json original = value;
    for (const char* text :
         {"null", "true", "-1", "1e300", "99999999999", "\"x\"", "\"\"", "[]", "{}", "[[]]", "[null]"}) {
      value = Json::parse(text);
      ++attempts_;
      attempt_(file_);
    }
    value = original;
    if (!value.is_structured() || value.size() > 100) return;  // not each of the 256 bytes
    for (size_t i = 0; i < value.size(); ++i) {
      auto child = std::next(value.begin(), static_cast<ptrdiff_t>(i));
      visit(*child);
      const Json whole = value;
      value.erase(std::next(value.begin(), static_cast<ptrdiff_t>(i)));
      ++attempts_;
      attempt_(file_);
      value = whole;
    }
  }

  Json file_;
  std::function<void(const Json&)> attempt_;
  int attempts_ = 0;
};

TEST_F(TokenizerJson, BrokenFilesAreUserErrorsOnly) {
  int refused = 0;
  const auto attempt = [&](const Json& json) {
    try {
      load(json)->encode(" he t<s> e\xCC\x81 \x01\xFF", {.add_special = true});
    } catch (const UserError&) {
      ++refused;
    }
  };
  const int attempts = Mutator(small_tokenizer(), attempt).run();
  EXPECT_GT(attempts, 500);
  EXPECT_GT(refused, attempts / 3);

  const Json config = {{"bos_token", "<s>"},
                       {"eos_token", {{"content", "</s>"}}},
                       {"add_bos_token", true},
                       {"chat_template", {{{"name", "default"}, {"template", "x"}}}}};
  for (const std::string name : {"tokenizer_config.json", "special_tokens_map.json", "generation_config.json",
                                 "sentence_bert_config.json"}) {
    auto json = name == "generation_config.json"      ? Json({{"eos_token_id", {261, 262}}})
                : name == "sentence_bert_config.json" ? Json({{"max_seq_length", 8}})
                                                      : config;
    Mutator(json, [&](const Json& broken) {
      write(name, broken);
      attempt(small_tokenizer());
    }).run();
    write(name, json);
  }
}

}  // namespace
}  // namespace plaudit
