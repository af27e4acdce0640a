// WordPiece (Schuster and Nakajima 2012, as in BERT): greedily the longest piece of a word that is in the
// vocabulary; pieces inside a word are written with a prefix ("##").
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plaudit/data/subword_model.h"

namespace plaudit {

struct WordPieceOptions {
  std::vector<std::pair<std::string, int64_t>> vocab;
  std::string unk_token = "[UNK]";
  std::string continuing_prefix = "##";
  int64_t max_characters = 100;  // a longer word is unknown
};

class WordPieceModel : public SubwordModel {
 public:
  // UserError when the vocabulary lacks the unknown token; `where` starts the message.
  WordPieceModel(WordPieceOptions options, const std::string& where);

  // One word; a word with a part that is not in the vocabulary is one unknown token.
  void encode(std::string_view piece, std::vector<int64_t>& ids) const override;
  // A piece inside a word without its prefix, any other with a space in front.
  std::string token_bytes(int64_t id) const override;
  std::optional<int64_t> find(std::string_view token) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(tokens_.size()); }
  void describe(Fingerprint& fingerprint) const override;

 private:
  std::optional<int64_t> longest(std::string_view word, size_t begin, size_t& end) const;

  WordPieceOptions options_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int64_t> ids_;
  int64_t unk_id_ = -1;
};

}  // namespace plaudit
