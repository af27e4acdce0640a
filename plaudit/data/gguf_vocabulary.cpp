#include "plaudit/data/gguf_vocabulary.h"

#include <fmt/format.h>

#include <map>

#include "plaudit/core/errors.h"
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

void read_gguf_tokens(const Metadata& metadata, GgufVocabulary& out) {
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
}

void read_gguf_merges(const Metadata& metadata, GgufVocabulary& out) {
  const auto lines = metadata.texts("merges");
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto space = lines[i].find(' ', 1);
    if (space == std::string::npos || space + 1 == lines[i].size())
      fail(ErrorKind::value, metadata.where("merges"),
           fmt::format("[{}] must be two tokens with a space in between, got '{}'", i, lines[i]));
    out.merges.emplace_back(lines[i].substr(0, space), lines[i].substr(space + 1));
  }
}

void read_gguf_model(const Metadata& metadata, GgufVocabulary& out) {
  out.model = metadata.text("model", "");
  if (out.model == "gpt2") {
    const auto pre = metadata.text("pre", "");
    const auto found = pre_names().find(pre);
    if (found == pre_names().end()) {
      std::vector<std::string> names;
      for (const auto& [name, kind] : pre_names()) names.push_back(name);
      fail(ErrorKind::value, metadata.where("pre"),
           "there is no known pre-tokenizer '" + pre + "'" + suggestion(pre, names));
    }
    out.pre_tokenizer = found->second;
    read_gguf_merges(metadata, out);
  } else if (out.model == "llama") {
    out.scores = metadata.numbers("scores", out.tokens.size());
    if (out.scores.empty())
      fail(ErrorKind::value, metadata.where("scores"), "is needed by the model 'llama'");
    out.space_prefix = metadata.flag("add_space_prefix", true);
  } else {
    fail(ErrorKind::value, metadata.where("model"),
         "there is no known tokenizer '" + out.model + "'" + suggestion(out.model, {"gpt2", "llama"}));
  }
}

}  // namespace

GgufVocabulary read_gguf_vocabulary(const GgufFile& file) {
  const Metadata metadata(file);
  GgufVocabulary out;
  out.path = file.path();
  read_gguf_tokens(metadata, out);
  read_gguf_model(metadata, out);
  const auto id = [&](const std::string& key) { return metadata.id(key, out.tokens.size()); };
  out.bos_id = id("bos_token_id");
  out.eos_id = id("eos_token_id");
  out.eot_id = id("eot_token_id");
  out.pad_id = id("padding_token_id");
  out.unk_id = id("unknown_token_id");
  // Where a file does not say, its makers meant these (llama.cpp).
  const bool bos_by_default = out.model == "llama" || out.pre_tokenizer == "llama3";
  out.add_bos = metadata.flag("add_bos_token", bos_by_default) && out.bos_id >= 0;
  out.add_eos = metadata.flag("add_eos_token", false) && out.eos_id >= 0;
  const auto found = file.metadata().find("tokenizer.chat_template");
  if (found != file.metadata().end()) {
    if (!found->is_string())
      fail(ErrorKind::type, file.path() + ": tokenizer.chat_template", "must be a text");
    out.chat_template = repair_utf8(found->get<std::string>());
  }
  return out;
}

std::string gguf_pre_name(const std::string& pre_tokenizer) {
  static const std::map<std::string, std::string> names = {
      {"gpt2", "gpt-2"}, {"smollm", "smollm"}, {"llama3", "llama-bpe"}, {"qwen2", "qwen2"}};
  const auto found = names.find(pre_tokenizer);
  if (found == names.end()) bug("gguf_pre_name", "no name for " + pre_tokenizer);
  return found->second;
}

}  // namespace plaudit
