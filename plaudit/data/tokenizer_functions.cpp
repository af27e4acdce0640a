// The encoders as functions, for vocabularies that are given in full.
#include <fmt/format.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/data/bpe.h"
#include "plaudit/data/byte_level.h"
#include "plaudit/data/sentencepiece.h"
#include "plaudit/data/tokenizer_pipeline.h"
#include "plaudit/data/wordpiece.h"

namespace plaudit {
namespace {

// What the argument `vocab` of bpe_encode says when the vocabulary follows from the merges.
const std::string kBytesThenMerges = "256 byte characters in byte order, then merges in order";

Json parse_argument(const Check& check, const std::string& argument, const std::string& text) {
  auto value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) check.refuse(ErrorKind::type, argument, "must be JSON, got '" + text + "'");
  return value;
}

std::string text_of(const Check& check, const std::string& argument, const Json& value) {
  if (!value.is_string()) check.refuse(ErrorKind::type, argument, "must hold texts, got " + value.dump());
  return value.get<std::string>();
}

int64_t integer_of(const Check& check, const std::string& argument, const Json& value) {
  if (!value.is_number_integer())
    check.refuse(ErrorKind::type, argument, "must hold integers, got " + value.dump());
  return value.get<int64_t>();
}

// {"token": id, ...}
std::vector<std::pair<std::string, int64_t>> token_ids(const Check& check, const std::string& argument,
                                                       const Json& map) {
  if (!map.is_object()) check.refuse(ErrorKind::type, argument, "must be {token: id}, got " + map.dump());
  std::vector<std::pair<std::string, int64_t>> out;
  for (const auto& [token, id] : map.items()) out.emplace_back(token, integer_of(check, argument, id));
  return out;
}

// [["a", "b"], ...] or ["a b", ...]
std::vector<std::pair<std::string, std::string>> merges_argument(const Check& check,
                                                                 const std::string& text) {
  const Json list = parse_argument(check, "merges", text);
  if (!list.is_array()) check.refuse(ErrorKind::type, "merges", "must be a list of pairs, got " + text);
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& merge : list) {
    if (merge.is_array() && merge.size() == 2) {
      out.emplace_back(text_of(check, "merges", merge[0]), text_of(check, "merges", merge[1]));
      continue;
    }
    const auto line = text_of(check, "merges", merge);
    const auto space = line.find(' ');
    if (space == std::string::npos)
      check.refuse(ErrorKind::value, "merges", "must hold pairs of tokens, got '" + line + "'");
    out.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return out;
}

std::vector<int64_t> bpe_encode(std::string_view text, const std::string& merges,
                                const std::string& special_tokens, const std::string& pre_tokenizer,
                                const std::string& vocab, bool ignore_merges) {
  const Check check("decode.bpe_encode");
  check.choice("pre_tokenizer", pre_tokenizer, PreTokenizer::names());
  BpeOptions options;
  options.merges = merges_argument(check, merges);
  options.ignore_merges = ignore_merges;
  if (vocab == kBytesThenMerges) {
    for (int b = 0; b < 256; ++b)
      options.vocab.emplace_back(characters_of_bytes(std::string(1, static_cast<char>(b))), b);
    for (const auto& [left, right] : options.merges)
      options.vocab.emplace_back(left + right, static_cast<int64_t>(options.vocab.size()));
  } else {
    options.vocab = token_ids(check, "vocab", parse_argument(check, "vocab", vocab));
  }
  TokenizerParts parts;
  for (const auto& [content, id] :
       token_ids(check, "special_tokens", parse_argument(check, "special_tokens", special_tokens)))
    parts.added.push_back({.id = id, .content = content, .special = true});
  parts.pre_tokenizer = PreTokenizer::named(pre_tokenizer);
  parts.model = std::make_unique<BpeModel>(std::move(options), "decode.bpe_encode");
  return PipelineTokenizer(std::move(parts)).encode(text);
}

// [[text, score], ...] or [[text, score, type], ...], with 256 byte tokens put in at `bytes_from`.
std::vector<SentencePieceToken> tokens_argument(const Check& check, const std::string& text,
                                                std::optional<int64_t> bytes_from) {
  const Json list = parse_argument(check, "tokens", text);
  if (!list.is_array() || list.empty())
    check.refuse(list.is_array() ? ErrorKind::empty : ErrorKind::type, "tokens",
                 "must be a list of [text, score]");
  if (bytes_from)
    check.that(*bytes_from >= 0 && *bytes_from <= static_cast<int64_t>(list.size()), "byte_tokens_from",
               fmt::format("in [0, {}]", list.size()), *bytes_from);
  std::vector<SentencePieceToken> out;
  const auto put_bytes = [&] {
    for (int b = 0; b < 256; ++b) out.push_back({fmt::format("<0x{:02X}>", b), 0, TokenType::byte});
  };
  for (size_t i = 0; i < list.size(); ++i) {
    const auto& entry = list[i];
    if (bytes_from && *bytes_from == static_cast<int64_t>(i)) put_bytes();
    if (!entry.is_array() || entry.size() < 2 || entry.size() > 3 || !entry[1].is_number())
      check.refuse(ErrorKind::type, "tokens", "must hold [text, score], got " + entry.dump());
    SentencePieceToken token{text_of(check, "tokens", entry[0]), entry[1].get<double>(), TokenType::normal};
    if (token.text == "<unk>") token.type = TokenType::unknown;
    if (entry.size() == 3) token.type = static_cast<TokenType>(integer_of(check, "tokens", entry[2]));
    out.push_back(std::move(token));
  }
  if (bytes_from && *bytes_from == static_cast<int64_t>(list.size())) put_bytes();
  return out;
}

std::vector<int64_t> spm_encode(std::string_view text, const std::string& tokens, bool add_space_prefix,
                                std::optional<int64_t> byte_tokens_from, const std::string& note) {
  const Check check("decode.spm_encode");
  auto vocabulary = tokens_argument(check, tokens, byte_tokens_from);
  TokenizerParts parts;
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto& token = vocabulary[i];
    const auto id = static_cast<int64_t>(i);
    if (token.type == TokenType::unknown && parts.unk_id < 0) parts.unk_id = id;
    const bool control = token.type == TokenType::control;
    if (control || token.type == TokenType::user_defined)
      parts.added.push_back({.id = id,
                             .content = token.text,
                             .special = control,
                             .normalized = !(control && add_space_prefix)});
  }
  parts.normalizer = sentencepiece_normalizer(add_space_prefix);
  parts.token_normalizer = sentencepiece_normalizer(false);
  parts.model =
      std::make_unique<SentencePieceModel>(std::move(vocabulary), parts.unk_id, "decode.spm_encode");
  return PipelineTokenizer(std::move(parts)).encode(text);
}

std::vector<int64_t> wordpiece_encode(std::string_view text, const std::vector<std::string>& vocab,
                                      bool lower_case, std::optional<int64_t> max_length) {
  const Check check("decode.wordpiece_encode");
  if (vocab.empty()) check.refuse(ErrorKind::empty, "vocab", "must not be empty");
  if (max_length) check.that(*max_length > 2, "max_length", "> 2", *max_length);
  WordPieceOptions options;
  for (size_t i = 0; i < vocab.size(); ++i) options.vocab.emplace_back(vocab[i], static_cast<int64_t>(i));
  TokenizerParts parts;
  const auto special = [&](const std::string& name) {
    const auto found = std::find(vocab.begin(), vocab.end(), name);
    if (found == vocab.end()) return int64_t{-1};
    parts.added.push_back({.id = found - vocab.begin(), .content = name, .special = true});
    return static_cast<int64_t>(found - vocab.begin());
  };
  for (const std::string name : {"[PAD]", "[UNK]", "[MASK]"}) special(name);
  parts.prefix = {special("[CLS]")};
  parts.suffix = {special("[SEP]")};
  if (parts.prefix[0] < 0 || parts.suffix[0] < 0)
    check.refuse(ErrorKind::value, "vocab", "must hold [CLS] and [SEP]");
  parts.max_length = max_length.value_or(0);
  const BertNormalizerOptions normal{.strip_accents = lower_case, .lowercase = lower_case};
  parts.normalizer = Normalizer({[normal](std::string_view t) { return bert_normalize(t, normal); }});
  parts.pre_tokenizer = PreTokenizer::bert();
  parts.model = std::make_unique<WordPieceModel>(std::move(options), "decode.wordpiece_encode: vocab");
  return PipelineTokenizer(std::move(parts)).encode(text, {.add_special = true});
}

}  // namespace

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "bpe_encode(str text, str merges, *, str special_tokens=\"{}\", str pre_tokenizer=\"gpt2\", "
      "str vocab=\"256 byte characters in byte order, then merges in order\", bool ignore_merges=False) "
      "-> int[] ids",
      &bpe_encode,
      "Byte-level BPE: special tokens first, then pieces, then the merge of lowest rank, leftmost on ties.",
      {"90"});
  m.def(
      "spm_encode(str text, str tokens, *, bool add_space_prefix=True, int? byte_tokens_from=None, "
      "str note=\"\") -> int[] ids",
      &spm_encode,
      "SentencePiece-style BPE: the pair whose concatenation has the highest score merges first; byte tokens "
      "for the rest. `note` is a remark without effect.",
      {"90"});
  m.def("wordpiece_encode(str text, str[] vocab, *, bool lower_case=True, int? max_length=None) -> int[] ids",
        &wordpiece_encode,
        "WordPiece with BERT's clean-up and splitting, [CLS] and [SEP] added, cut to max_length.", {"90"});
}

}  // namespace plaudit
