// SentencePiece-style BPE (Kudo and Richardson 2018), as GGUF files of model "llama" hold it.
//
// A piece starts as single characters, spaces written as U+2581; the neighbouring pair whose concatenation is
// the token with the highest score merges, the leftmost on ties, until no pair is a token. Characters that
// are left without a token become the byte tokens of their UTF-8.
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "plaudit/data/merge.h"
#include "plaudit/data/subword_model.h"

namespace plaudit {

// The types of tokenizer.ggml.token_type.
enum class TokenType : int64_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

struct SentencePieceToken {
  std::string text;
  double score = 0;
  TokenType type = TokenType::normal;
};

class SentencePieceModel : public SubwordModel {
 public:
  // `unk_id` stands for a byte without a token, -1 for none: such a byte is then an error when it appears.
  // Text merges into normal tokens only; control and user-defined tokens must have been cut out before.
  // UserError for scores that are not finite; `where` starts the message.
  SentencePieceModel(std::vector<SentencePieceToken> tokens, int64_t unk_id, const std::string& where);

  void encode(std::string_view piece, std::vector<int64_t>& ids) const override;
  std::string token_bytes(int64_t id) const override;
  std::optional<int64_t> find(std::string_view token) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(tokens_.size()); }
  void describe(Fingerprint& fingerprint) const override;

 private:
  int32_t lookup(std::string_view text) const;
  bool cuts_before_space(std::string_view text, size_t space) const;
  void encode_word(std::string_view word, std::vector<int64_t>& ids) const;
  void encode_by_merging(std::string_view word, std::vector<int64_t>& ids) const;
  void append_bytes(std::string_view text, std::vector<int64_t>& ids) const;

  std::vector<SentencePieceToken> tokens_;
  std::unordered_map<std::string_view, int32_t> ids_;  // normal tokens
  std::array<int32_t, 256> byte_ids_;                  // -1 where there is no byte token
  int64_t unk_id_;
  // The bytes that come right before a U+2581 inside some token. Everywhere else text may be cut before a
  // U+2581: no merge can span the cut, so words are merged one by one.
  std::array<bool, 256> joins_space_{};
  mutable WholeTokens whole_;
};

}  // namespace plaudit
