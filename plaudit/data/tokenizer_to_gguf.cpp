// The tokenizer of a Hugging Face folder as the metadata of a GGUF file.
#include <fmt/format.h>

#include <filesystem>
#include <unordered_map>

#include "plaudit/core/errors.h"
#include "plaudit/data/byte_level.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/pre_tokenizer.h"
#include "plaudit/data/tokenizer.h"
#include "plaudit/data/tokenizer_files.h"
#include "plaudit/data/tokenizer_json.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

Json copy_keys(const GgufFile& file) {
  Json out = Json::object();
  for (const auto& [key, value] : file.metadata().items()) {
    if (key.starts_with("tokenizer.")) out[key] = value;
  }
  return out;
}

struct Tokens {
  std::vector<std::string> texts;
  std::vector<TokenType> types;

  void put(int64_t id, const std::string& text, TokenType type) {
    texts[static_cast<size_t>(id)] = text;
    types[static_cast<size_t>(id)] = type;
  }
};

Tokens read_tokens(const JsonView& file, int64_t vocab) {
  Tokens out;
  for (int64_t i = 0; i < vocab; ++i) out.texts.push_back(fmt::format("[PAD{}]", i));
  out.types.assign(out.texts.size(), TokenType::unused);
  const auto check = [&](const JsonView& view, const std::string& token, int64_t id) {
    if (id < 0 || id >= vocab)
      view.refuse(ErrorKind::value,
                  fmt::format("the id of '{}' must be in [0, {}), got {}", token, vocab, id));
  };
  const auto view = file.at("model").at("vocab");
  for (const auto& [token, id] : read_vocab(view)) {
    check(view, token, id);
    out.put(id, token, TokenType::normal);
  }
  for (const auto& token : read_added_tokens(file)) {
    check(file.at("added_tokens"), token.content, token.id);
    out.put(token.id, token.content, token.special ? TokenType::control : TokenType::user_defined);
  }
  return out;
}

void add_byte_level(const JsonView& file, Json& keys) {
  const auto view = file.at("pre_tokenizer");
  const auto name = PreTokenizer::name_of(view);
  if (name.empty()) view.refuse(ErrorKind::value, "has no name that a GGUF file could give");
  keys["tokenizer.ggml.model"] = "gpt2";
  keys["tokenizer.ggml.pre"] = gguf_pre_name(name);
  Json merges = Json::array();
  for (const auto& merge : file.at("model").at("merges").list()) {
    const auto [left, right] = read_merge(merge);
    merges.push_back(left + " " + right);
  }
  keys["tokenizer.ggml.merges"] = merges;
}

// Refuses what SentencePiece does not do; true when a text gets a space in front.
bool space_prefix(const JsonView& file) {
  const auto spaces = nlohmann::json{{"type", "Split"},
                                     {"pattern", {{"String", " "}}},
                                     {"behavior", "MergedWithPrevious"},
                                     {"invert", false}};  // no text has spaces when it gets here
  if (const auto view = file.find("pre_tokenizer"); view && view->json() != spaces)
    view->refuse(ErrorKind::value, "cannot be held by a GGUF file of model llama");
  const auto marks =
      nlohmann::json{{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpaceMark}};
  const auto view = file.at("normalizer");
  if (view.json() == marks) return false;
  const auto prefixed = nlohmann::json{
      {"type", "Sequence"},
      {"normalizers", nlohmann::json::array({{{"type", "Prepend"}, {"prepend", kSpaceMark}}, marks})}};
  if (view.json() != prefixed)
    view.refuse(ErrorKind::value, "cannot be held by a GGUF file, expected spaces to become U+2581");
  return true;
}

// The first merge that makes a token gives its score. A token that no merge makes stands for itself when it
// is one character; a longer one no text becomes.
void add_sentencepiece(const JsonView& file, Tokens& tokens, Json& keys) {
  keys["tokenizer.ggml.model"] = "llama";
  keys["tokenizer.ggml.pre"] = "default";
  keys["tokenizer.ggml.add_space_prefix"] = space_prefix(file);
  std::unordered_map<std::string, double> scores;
  for (const auto& merge : file.at("model").at("merges").list()) {
    const auto [left, right] = read_merge(merge);
    scores.emplace(left + right, -static_cast<double>(scores.size()));
  }
  const auto unknown = file.at("model").text_or("unk_token", "");
  Json list = Json::array();
  for (size_t i = 0; i < tokens.texts.size(); ++i) {
    auto& text = tokens.texts[i];
    auto& type = tokens.types[i];
    const auto found = scores.find(text);
    list.push_back(found == scores.end() ? -static_cast<double>(scores.size()) : found->second);
    if (byte_of_token(text) >= 0) type = TokenType::byte;
    if (text == unknown) type = TokenType::unknown;
    if (type == TokenType::normal && found == scores.end() && count_code_points(text) > 1)
      type = TokenType::unused;
    if (type == TokenType::user_defined) text = replace_all(text, kSpaceMark, " ");
  }
  keys["tokenizer.ggml.scores"] = list;
}

void add_special_ids(const Tokenizer& tokenizer, const JsonView& file, Json& keys) {
  const auto put = [&](const std::string& key, int64_t id) {
    if (id >= 0) keys["tokenizer.ggml." + key] = id;
  };
  put("bos_token_id", tokenizer.bos_id());
  put("eos_token_id", tokenizer.eos_id());
  if (tokenizer.stop_ids().size() > 1) put("eot_token_id", tokenizer.stop_ids()[1]);
  put("unknown_token_id", tokenizer.unk_id());
  put("padding_token_id", tokenizer.pad_id());
  const auto view = file.find("post_processor");
  const auto [before, behind] = view ? read_post_processor(*view) : decltype(read_post_processor(*view)){};
  const auto around = [&](const std::vector<int64_t>& ids, int64_t known) {
    if (ids.empty() || (ids.size() == 1 && ids[0] == known)) return;
    view->refuse(ErrorKind::value, "a GGUF file holds no tokens around a text but one BOS and one EOS");
  };
  around(before, tokenizer.bos_id());
  around(behind, tokenizer.eos_id());
  keys["tokenizer.ggml.add_bos_token"] = tokenizer.adds_bos();
  keys["tokenizer.ggml.add_eos_token"] = tokenizer.adds_eos();
  if (!tokenizer.chat_template().empty()) keys["tokenizer.chat_template"] = tokenizer.chat_template();
}

}  // namespace

Json tokenizer_to_gguf(const std::string& source, int64_t vocab) {
  namespace fs = std::filesystem;
  if (fs::path(source).extension() == ".gguf") return copy_keys(*GgufFile::open(source));
  const auto tokenizer = Tokenizer::load(source);
  const auto json = JsonFile::read(tokenizer->source());
  const auto file = json.view();
  const auto model = file.at("model");
  if (!model.find("merges"))
    model.refuse(ErrorKind::value, "only BPE can be held by a GGUF file of a language model");
  Json keys = Json::object();
  auto tokens = read_tokens(file, vocab);
  const auto pre_tokenizer = file.find("pre_tokenizer");
  if (pre_tokenizer && PreTokenizer::from_json(*pre_tokenizer).is_byte_level())
    add_byte_level(file, keys);
  else
    add_sentencepiece(file, tokens, keys);
  keys["tokenizer.ggml.tokens"] = tokens.texts;
  Json types = Json::array();
  for (const auto type : tokens.types) types.push_back(static_cast<int64_t>(type));
  keys["tokenizer.ggml.token_type"] = types;
  add_special_ids(*tokenizer, file, keys);
  return keys;
}

}  // namespace plaudit
