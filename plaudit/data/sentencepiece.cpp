#include "plaudit/data/sentencepiece.h"

#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/data/byte_level.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {}  // namespace

SentencePieceModel::SentencePieceModel(std::vector<SentencePieceToken> tokens, int64_t unk_id,
                                       const std::string& where)
    : tokens_(std::move(tokens)), unk_id_(unk_id), whole_(tokens_.size()) {
  byte_ids_.fill(-1);
  ids_.reserve(tokens_.size());
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const auto& token = tokens_[i];
    const auto id = static_cast<int32_t>(i);
    if (!std::isfinite(token.score))
      fail(ErrorKind::nan, where, fmt::format("the score of token {} is {}", i, token.score));
    if (token.type == TokenType::byte) {
      const int byte = byte_of_token(token.text);
      if (byte < 0)
        fail(ErrorKind::value, where,
             fmt::format("byte token {} must look like <0x0A>, got '{}'", i, token.text));
      byte_ids_[static_cast<size_t>(byte)] = id;
    }
    if (token.type != TokenType::normal || token.text.empty()) continue;
    ids_.emplace(token.text, id);  // the first of equal tokens counts
    for (size_t at = 1; (at = token.text.find(kSpaceMark, at)) != std::string::npos; at += kSpaceMark.size())
      joins_space_[static_cast<uint8_t>(token.text[at - 1])] = true;
  }
}

int32_t SentencePieceModel::lookup(std::string_view text) const {
  const auto found = ids_.find(text);
  return found == ids_.end() ? -1 : found->second;
}

bool SentencePieceModel::cuts_before_space(std::string_view text, size_t space) const {
  return !joins_space_[static_cast<uint8_t>(text[space - 1])];
}

void SentencePieceModel::encode(std::string_view piece, std::vector<int64_t>& ids) const {
  size_t begin = 0;
  for (size_t at = 1; (at = piece.find(kSpaceMark, at)) != std::string_view::npos; at += kSpaceMark.size()) {
    if (!cuts_before_space(piece, at)) continue;
    encode_word(piece.substr(begin, at - begin), ids);
    begin = at;
  }
  if (begin < piece.size()) encode_word(piece.substr(begin), ids);
}

void SentencePieceModel::encode_word(std::string_view word, std::vector<int64_t>& ids) const {
  const int32_t id = lookup(word);
  if (id < 0) return encode_by_merging(word, ids);
  if (whole_.get(id) == WholeTokens::Answer::unknown) {
    std::vector<int64_t> merged;
    encode_by_merging(word, merged);
    whole_.set(id, merged.size() == 1 && merged[0] == id);
  }
  if (whole_.get(id) == WholeTokens::Answer::yes)
    ids.push_back(id);
  else
    encode_by_merging(word, ids);
}

void SentencePieceModel::encode_by_merging(std::string_view word, std::vector<int64_t>& ids) const {
  std::vector<Symbol> symbols;
  for (size_t pos = 0; pos < word.size();) {
    const size_t begin = pos;
    next_code_point(word, pos);
    symbols.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(pos - begin),
                       lookup(word.substr(begin, pos - begin))});
  }
  merge_symbols(symbols, [&](const Symbol& left, const Symbol& right, Merge& merge) {
    const int32_t id = lookup(word.substr(left.begin, left.size + right.size));
    if (id < 0) return false;
    merge = {-tokens_[static_cast<size_t>(id)].score, id};
    return true;
  });
  for (const auto& symbol : symbols) {
    if (symbol.id >= 0)
      ids.push_back(symbol.id);
    else
      append_bytes(word.substr(symbol.begin, symbol.size), ids);
  }
}

void SentencePieceModel::append_bytes(std::string_view text, std::vector<int64_t>& ids) const {
  for (const char c : text) {
    const int64_t id = byte_ids_[static_cast<uint8_t>(c)];
    if (id < 0 && unk_id_ < 0)
      fail(ErrorKind::value, "tokenizer",
           fmt::format("the vocabulary has neither a token for the byte 0x{:02X} nor an unknown token",
                       static_cast<unsigned>(static_cast<uint8_t>(c))));
    ids.push_back(id >= 0 ? id : unk_id_);
  }
}

std::string SentencePieceModel::token_bytes(int64_t id) const {
  if (id < 0 || id >= vocab_size()) return "";
  const auto& token = tokens_[static_cast<size_t>(id)];
  if (token.type == TokenType::byte) return std::string(1, static_cast<char>(byte_of_token(token.text)));
  return replace_all(token.text, kSpaceMark, " ");
}

std::optional<int64_t> SentencePieceModel::find(std::string_view token) const {
  const int32_t id = lookup(token);
  return id < 0 ? std::nullopt : std::optional<int64_t>(id);
}

void SentencePieceModel::describe(Fingerprint& fingerprint) const {
  fingerprint.add("sentencepiece");
  for (const auto& token : tokens_) {
    fingerprint.add(token.text);
    fingerprint.add(static_cast<int64_t>(token.type));
    fingerprint.add(fmt::format("{}", token.score));
  }
  fingerprint.add(unk_id_);
}

}  // namespace plaudit
