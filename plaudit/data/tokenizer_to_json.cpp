// The tokenizer of a GGUF file as the files of a Hugging Face folder.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/pre_tokenizer.h"
#include "plaudit/data/tokenizer_files.h"

namespace plaudit {
namespace {

std::string json_quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false);
}

// Whether text is compared with this token after its spaces have become U+2581 (data/tokenizer_gguf.cpp).
bool found_in_normalized(const GgufVocabulary& v, size_t id) {
  return v.model == "llama" && !v.space_prefix && !v.is_text(id);
}

// The token as tokenizer.json writes it.
std::string token_content(const GgufVocabulary& v, size_t id) {
  return found_in_normalized(v, id) ? replace_all(v.tokens[id], " ", kSpaceMark) : v.tokens[id];
}

Json added_tokens_json(const GgufVocabulary& v) {
  Json out = Json::array();
  for (size_t i = 0; i < v.tokens.size(); ++i) {
    if (v.is_text(i)) continue;
    out.push_back({{"id", i},
                   {"content", token_content(v, i)},
                   {"single_word", false},
                   {"lstrip", false},
                   {"rstrip", false},
                   {"normalized", found_in_normalized(v, i)},
                   {"special", v.types[i] == TokenType::control}});
  }
  return out;
}

Json normalizer(const GgufVocabulary& v) {
  if (v.model != "llama") return nullptr;
  const Json marks = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpaceMark}};
  if (!v.space_prefix) return marks;
  const Json prefix = {{"type", "Prepend"}, {"prepend", kSpaceMark}};
  return {{"type", "Sequence"}, {"normalizers", Json::array({prefix, marks})}};
}

Json decoder(const GgufVocabulary& v) {
  if (v.model != "llama")
    return {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  Json steps = Json::array();
  steps.push_back({{"type", "Replace"}, {"pattern", {{"String", kSpaceMark}}}, {"content", " "}});
  steps.push_back({{"type", "ByteFallback"}});
  steps.push_back({{"type", "Fuse"}});
  if (v.space_prefix) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", steps}};
}

// BOS and EOS around one text, and around a pair.
Json post_processor(const GgufVocabulary& v) {
  if (!v.add_bos && !v.add_eos) return nullptr;
  Json special = Json::object();
  const auto name = [&](int64_t id) { return token_content(v, static_cast<size_t>(id)); };
  const auto around = [&](const std::string& sequence, int type) {
    Json out = Json::array();
    const auto put = [&](bool wanted, int64_t id) {
      if (!wanted) return;
      out.push_back({{"SpecialToken", {{"id", name(id)}, {"type_id", type}}}});
      special[name(id)] = {{"id", name(id)}, {"ids", {id}}, {"tokens", {name(id)}}};
    };
    put(v.add_bos, v.bos_id);
    out.push_back({{"Sequence", {{"id", sequence}, {"type_id", type}}}});
    put(v.add_eos, v.eos_id);
    return out;
  };
  const Json single = around("A", 0);
  Json pair = single;
  for (const auto& element : around("B", 1)) pair.push_back(element);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}};
}

using Merges = std::vector<std::pair<std::string, std::string>>;

// SentencePiece merges the pair whose concatenation scores best; so each way to cut a token in two tokens is
// a merge, ranked by the score of the whole. Of one token the longest left part comes first: that is the pair
// that merging from the left meets.
Merges merges_of_scores(const GgufVocabulary& v) {
  std::unordered_map<std::string_view, size_t> ids;
  std::vector<size_t> order;
  for (size_t i = 0; i < v.tokens.size(); ++i) {
    if (v.types[i] == TokenType::normal && ids.emplace(v.tokens[i], i).second) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return v.scores[a] > v.scores[b]; });
  Merges out;
  for (const size_t i : order) {
    const std::string_view token = v.tokens[i];
    for (size_t cut = token.size(); cut-- > 1;) {
      if (ids.count(token.substr(0, cut)) && ids.count(token.substr(cut)))
        out.emplace_back(token.substr(0, cut), token.substr(cut));
    }
  }
  return out;
}

// Written piece by piece: a quarter of a million keys are too many for a JSON object that keeps their order.
std::string model_text(const GgufVocabulary& v) {
  const bool llama = v.model == "llama";
  std::string out = R"({"type": "BPE", "dropout": null, "unk_token": )";
  out += llama && v.unk_id >= 0 ? json_quoted(v.tokens[static_cast<size_t>(v.unk_id)]) : "null";
  out += R"(, "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false)";
  out += std::string(R"(, "byte_fallback": )") + (llama ? "true" : "false");
  out += std::string(R"(, "ignore_merges": )") + (v.pre_tokenizer == "llama3" ? "true" : "false");
  out += ",\n \"vocab\": {";
  std::unordered_map<std::string, size_t> written;  // of equal tokens the first counts
  for (size_t i = 0; i < v.tokens.size(); ++i) {
    auto content = token_content(v, i);
    if (content.empty() || !written.emplace(content, i).second) continue;
    out += (written.size() == 1 ? "\n  " : ",\n  ") + json_quoted(content) + ": " + std::to_string(i);
  }
  out += "},\n \"merges\": [";
  bool first = true;
  for (const auto& [left, right] : llama ? merges_of_scores(v) : v.merges) {
    out += (first ? "\n  [" : ",\n  [") + json_quoted(left) + ", " + json_quoted(right) + "]";
    first = false;
  }
  return out + "]}";
}

Json config(const GgufVocabulary& v) {
  Json out = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  const auto put = [&](const char* key, int64_t id) {
    if (id >= 0) out[key] = token_content(v, static_cast<size_t>(id));
  };
  put("bos_token", v.bos_id);
  put("eos_token", v.eos_id);
  put("unk_token", v.unk_id);
  put("pad_token", v.pad_id);
  return out;
}

// SentencePiece puts its space in front of the whole text and then looks for the user's tokens; in
// tokenizer.json a normalizer would put one behind each of these tokens, too.
void refuse_prefixed_user_tokens(const GgufVocabulary& v) {
  if (v.model != "llama" || !v.space_prefix) return;
  const auto found = std::find(v.types.begin(), v.types.end(), TokenType::user_defined);
  if (found == v.types.end()) return;
  const auto id = static_cast<size_t>(found - v.types.begin());
  fail(ErrorKind::value, v.where("add_space_prefix"),
       fmt::format("true beside user-defined tokens (id {}: '{}') cannot be written as tokenizer.json", id,
                   v.tokens[id]));
}

}  // namespace

void write_tokenizer_files(const GgufVocabulary& vocabulary, const std::string& folder) {
  refuse_prefixed_user_tokens(vocabulary);
  create_folder(folder);
  if (!vocabulary.chat_template.empty())
    write_file_atomic(folder + "/chat_template.jinja", vocabulary.chat_template);
  write_json(folder + "/tokenizer_config.json", config(vocabulary));
  std::string text = R"({"version": "1.0", "truncation": null, "padding": null)";
  const auto put = [&](const std::string& key, const std::string& value) {
    text += ",\n\"" + key + "\": " + value;
  };
  put("added_tokens", added_tokens_json(vocabulary).dump());
  put("normalizer", normalizer(vocabulary).dump());
  put("pre_tokenizer",
      vocabulary.model == "llama" ? "null" : PreTokenizer::json_of(vocabulary.pre_tokenizer).dump());
  put("post_processor", post_processor(vocabulary).dump());
  put("decoder", decoder(vocabulary).dump());
  put("model", model_text(vocabulary));
  write_file_atomic(folder + "/tokenizer.json", text + "}\n");
}

}  // namespace plaudit
