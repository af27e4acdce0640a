// A language model that fits in a test: two layers of random weights, a tokenizer of bytes, chats as plain
// text.
#pragma once

#include <memory>

#include "plaudit/model/transformer.h"

namespace plaudit {

// Token i < 256 is the byte i; 256 ends an answer. A text that is parsed reads "<end>" as that token.
class ByteTokenizer : public Tokenizer {
 public:
  static constexpr int64_t end = 256;

  ByteTokenizer() { stop_ids_ = {end}; }

  std::vector<int64_t> encode(std::string_view text, const EncodeOptions& options = {}) const override {
    std::vector<int64_t> out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (options.parse_special && text.substr(i).starts_with("<end>")) {
        out.push_back(end);
        i += 4;
      } else {
        out.push_back(static_cast<unsigned char>(text[i]));
      }
    }
    return out;
  }
  std::string token_bytes(int64_t id, bool skip_special) const override {
    if (id < 256) return {static_cast<char>(id)};
    return skip_special ? "" : "<end>";
  }
  int64_t vocab_size() const override { return 257; }
  uint64_t fingerprint() const override { return 1; }
  void save(const std::string&) const override {}  // there is nothing to keep
};

inline TransformerConfig tiny_config() {
  TransformerConfig config;
  config.family = "llama";
  config.vocab = 257;
  config.hidden = 32;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 8;
  config.ffn = 64;
  config.context = 512;
  config.eos_ids = {ByteTokenizer::end};
  return config;
}

// All weights trainable.
inline LanguageModel tiny_model(uint64_t seed = 0) {
  auto transformer = Transformer::random(tiny_config(), seed);
  transformer->set_trainable(true);
  return {transformer, std::make_shared<ByteTokenizer>(), "", "tiny"};
}

inline Prompt text_prompt(std::string text) {
  return {std::move(text), {}};
}

inline PreferencePair text_pair(std::string prompt, std::string chosen, std::string rejected) {
  PreferencePair pair;
  pair.prompt.text = std::move(prompt);
  pair.chosen = std::move(chosen);
  pair.rejected = std::move(rejected);
  return pair;
}

}  // namespace plaudit
