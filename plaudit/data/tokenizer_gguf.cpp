#include "plaudit/data/tokenizer_gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plaudit/core/errors.h"
#include "plaudit/data/bpe.h"
#include "plaudit/data/sentencepiece.h"
#include "plaudit/data/tokenizer_pipeline.h"
#include "plaudit/data/tokenizer_settings.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

// The values of tokenizer.ggml.pre, and the pre-tokenizers that they name.
const std::map<std::string, std::string>& pre_names() {
  static const std::map<std::string, std::string> names = {{"gpt-2", "gpt2"},
                                                           {"gpt2", "gpt2"},
                                                           {"olmo", "gpt2"},
                                                           {"phi-2", "gpt2"},
                                                           {"smollm", "smollm"},
                                                           {"starcoder", "smollm"},
                                                           {"refact", "smollm"},
                                                           {"command-r", "smollm"},
                                                           {"llama-bpe", "llama3"},
                                                           {"llama3", "llama3"},
                                                           {"llama-v3", "llama3"},
                                                           {"qwen2", "qwen2"},
                                                           {"deepseek-r1-qwen", "qwen2"},
                                                           {"stablelm2", "qwen2"}};
  return names;
}

// Typed reading of the tokenizer.ggml.* keys.
class Metadata {
 public:
  explicit Metadata(const GgufFile& file) : file_(file) {}

  std::string where(const std::string& key) const { return file_.path() + ": " + full(key); }

  std::string text(const std::string& key, const std::string& fallback) const {
    const auto* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_string()) fail(ErrorKind::type, where(key), "must be a text");
    return value->get<std::string>();
  }
  bool flag(const std::string& key, bool fallback) const {
    const auto* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) fail(ErrorKind::type, where(key), "must be true or false");
    return value->get<bool>();
  }
  // The id of a token of the vocabulary, -1 when the key is absent.
  int64_t id(const std::string& key, size_t vocab_size) const {
    const auto* value = find(key);
    if (value == nullptr) return -1;
    if (!value->is_number_integer()) fail(ErrorKind::type, where(key), "must be an integer");
    if (!value->is_number_unsigned() && value->get<int64_t>() < 0) return -1;  // some writers say -1 for none
    const auto out = value->get<uint64_t>();
    if (out >= vocab_size)
      fail(ErrorKind::value, where(key), fmt::format("must be in [0, {}), got {}", vocab_size, out));
    return static_cast<int64_t>(out);
  }

  // A list of texts, all of them valid UTF-8.
  std::vector<std::string> texts(const std::string& key) const {
    std::vector<std::string> out;
    for (const auto& value : list(key)) {
      if (!value.is_string()) fail(ErrorKind::type, where(key), "must hold texts");
      out.push_back(value.get<std::string>());
      if (!is_valid_utf8(out.back()))
        fail(ErrorKind::value, where(key), fmt::format("[{}] is not UTF-8", out.size() - 1));
    }
    return out;
  }
  // A list of `size` numbers; empty when the key is absent.
  std::vector<double> numbers(const std::string& key, size_t size) const {
    std::vector<double> out;
    if (find(key) == nullptr) return out;
    for (const auto& value : list(key)) {
      if (!value.is_number()) fail(ErrorKind::type, where(key), "must hold numbers");
      out.push_back(value.get<double>());
    }
    if (out.size() != size)
      fail(ErrorKind::shape, where(key),
           fmt::format("must hold one number for each of {} tokens, has {}", size, out.size()));
    return out;
  }

 private:
  static std::string full(const std::string& key) { return "tokenizer.ggml." + key; }

  const Json* find(const std::string& key) const {
    const auto found = file_.metadata().find(full(key));
    return found == file_.metadata().end() ? nullptr : &*found;
  }
  const Json& list(const std::string& key) const {
    const auto* value = find(key);
    if (value == nullptr) fail(ErrorKind::value, file_.path(), "needs the key '" + full(key) + "'");
    if (!value->is_array()) fail(ErrorKind::type, where(key), "must be a list");
    return *value;
  }

  const GgufFile& file_;
};

struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<TokenType> types;
};

Vocabulary read_vocabulary(const Metadata& metadata) {
  Vocabulary out;
  out.tokens = metadata.texts("tokens");
  if (out.tokens.empty()) fail(ErrorKind::empty, metadata.where("tokens"), "must not be empty");
  out.types.assign(out.tokens.size(), TokenType::normal);
  const auto types = metadata.numbers("token_type", out.tokens.size());
  for (size_t i = 0; i < types.size(); ++i) {
    if (!(types[i] >= 0 && types[i] <= 6) || types[i] != static_cast<int64_t>(types[i]))
      fail(ErrorKind::value, metadata.where("token_type"),
           fmt::format("[{}] must be one of 0 to 6, got {}", i, types[i]));
    out.types[i] = static_cast<TokenType>(static_cast<int64_t>(types[i]));
  }
  return out;
}

bool is_text(TokenType type) {
  return type != TokenType::control && type != TokenType::user_defined;
}

// `raw_control`: control tokens are cut out before the text is normalised, and user-defined ones after.
std::vector<AddedToken> added_tokens(const Vocabulary& vocabulary, bool raw_control) {
  std::vector<AddedToken> out;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    if (is_text(vocabulary.types[i])) continue;
    const bool control = vocabulary.types[i] == TokenType::control;
    out.push_back({.id = static_cast<int64_t>(i),
                   .content = vocabulary.tokens[i],
                   .special = control,
                   .normalized = !(control && raw_control)});
  }
  return out;
}

void read_bpe(const Metadata& metadata, const Vocabulary& vocabulary, TokenizerParts& parts) {
  const auto pre = metadata.text("pre", "");
  const auto found = pre_names().find(pre);
  if (found == pre_names().end()) {
    std::vector<std::string> names;
    for (const auto& [name, kind] : pre_names()) names.push_back(name);
    fail(ErrorKind::value, metadata.where("pre"),
         "there is no known pre-tokenizer '" + pre + "'" + suggestion(pre, names));
  }
  parts.pre_tokenizer = PreTokenizer::named(found->second);
  parts.cutting = found->second;
  BpeOptions options;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    if (is_text(vocabulary.types[i])) options.vocab.emplace_back(vocabulary.tokens[i], i);
  }
  const auto merges = metadata.texts("merges");
  for (size_t i = 0; i < merges.size(); ++i) {
    const auto space = merges[i].find(' ', 1);
    if (space == std::string::npos || space + 1 == merges[i].size())
      fail(ErrorKind::value, metadata.where("merges"),
           fmt::format("[{}] must be two tokens with a space in between, got '{}'", i, merges[i]));
    options.merges.emplace_back(merges[i].substr(0, space), merges[i].substr(space + 1));
  }
  options.ignore_merges = found->second == "llama3";
  parts.model = std::make_unique<BpeModel>(std::move(options), metadata.where("tokens"));
  parts.added = added_tokens(vocabulary, /*raw_control=*/false);
}

void read_sentencepiece(const Metadata& metadata, const Vocabulary& vocabulary, TokenizerParts& parts) {
  const auto scores = metadata.numbers("scores", vocabulary.tokens.size());
  if (scores.empty()) fail(ErrorKind::value, metadata.where("scores"), "is needed by the model 'llama'");
  std::vector<SentencePieceToken> tokens;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i)
    tokens.push_back({vocabulary.tokens[i], scores[i], vocabulary.types[i]});
  const bool prefix = metadata.flag("add_space_prefix", true);
  parts.normalizer = sentencepiece_normalizer(prefix);
  parts.token_normalizer = sentencepiece_normalizer(false);
  parts.cutting = prefix ? "spaces, prefix" : "spaces";
  parts.strips_leading_space = prefix;
  parts.model =
      std::make_unique<SentencePieceModel>(std::move(tokens), parts.unk_id, metadata.where("tokens"));
  parts.added = added_tokens(vocabulary, /*raw_control=*/prefix);
}

void add_turn_ends(const Metadata& metadata, const Vocabulary& vocabulary, TokenizerParts& parts) {
  static const std::vector<std::string> usual = {"<|im_end|>",    "<|eot_id|>", "<|eom_id|>",
                                                 "<end_of_turn>", "<|end|>",    "<|end_of_turn|>"};
  add_stop_id(parts, metadata.id("eot_token_id", vocabulary.tokens.size()));
  for (const auto& token : parts.added) {
    if (token.special && std::find(usual.begin(), usual.end(), token.content) != usual.end())
      add_stop_id(parts, token.id);
  }
}

}  // namespace

std::shared_ptr<const Tokenizer> tokenizer_from_gguf(const GgufFile& file) {
  const Metadata metadata(file);
  const auto vocabulary = read_vocabulary(metadata);
  const size_t size = vocabulary.tokens.size();
  TokenizerParts parts;
  parts.bos_id = metadata.id("bos_token_id", size);
  parts.pad_id = metadata.id("padding_token_id", size);
  parts.unk_id = metadata.id("unknown_token_id", size);
  const auto model = metadata.text("model", "");
  if (model == "gpt2")
    read_bpe(metadata, vocabulary, parts);
  else if (model == "llama")
    read_sentencepiece(metadata, vocabulary, parts);
  else
    fail(ErrorKind::value, metadata.where("model"),
         "there is no known tokenizer '" + model + "'" + suggestion(model, {"gpt2", "llama"}));
  add_stop_id(parts, metadata.id("eos_token_id", size));
  add_turn_ends(metadata, vocabulary, parts);
  // Where a file does not say, its makers meant these (llama.cpp).
  const bool bos_by_default = model == "llama" || parts.cutting == "llama3";
  if (parts.bos_id >= 0 && metadata.flag("add_bos_token", bos_by_default)) parts.prefix = {parts.bos_id};
  const int64_t eos = metadata.id("eos_token_id", size);
  if (eos >= 0 && metadata.flag("add_eos_token", false)) parts.suffix = {eos};
  if (const auto found = file.metadata().find("tokenizer.chat_template"); found != file.metadata().end()) {
    if (!found->is_string())
      fail(ErrorKind::type, file.path() + ": tokenizer.chat_template", "must be a text");
    parts.chat_template = repair_utf8(found->get<std::string>());
  }
  return std::make_shared<PipelineTokenizer>(std::move(parts));
}

}  // namespace plaudit
