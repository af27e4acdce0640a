// The tokenizer that all files describe: added tokens, normaliser, pre-tokenizer, subword model, and what is
// put around the result.
#pragma once

#include <memory>

#include "plaudit/data/added_tokens.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/pre_tokenizer.h"
#include "plaudit/data/subword_model.h"
#include "plaudit/data/tokenizer.h"

namespace plaudit {

struct TokenizerParts {
  std::unique_ptr<const SubwordModel> model;
  Normalizer normalizer;
  Normalizer token_normalizer;  // for the contents of added tokens that are looked for in normalised text
  PreTokenizer pre_tokenizer;
  std::string cutting;  // the normaliser and the pre-tokenizer as the file writes them, for the fingerprint
  std::vector<AddedToken> added;
  // Ids around a text when special tokens are asked for.
  std::vector<int64_t> prefix, suffix;
  // Length to which a text with special tokens is cut (the prefix and suffix stay); 0 for none.
  int64_t max_length = 0;
  // Decoded text starts with a space that the text did not have.
  bool strips_leading_space = false;
  int64_t bos_id = -1, pad_id = -1, unk_id = -1;
  std::vector<int64_t> stop_ids;
  std::string chat_template;
  std::string source;  // the folder or file that all this comes from
};

class PipelineTokenizer : public Tokenizer {
 public:
  explicit PipelineTokenizer(TokenizerParts parts);

  std::vector<int64_t> encode(std::string_view text, const EncodeOptions& options = {}) const override;
  std::string token_bytes(int64_t id, bool skip_special) const override;
  int64_t vocab_size() const override { return vocab_size_; }
  uint64_t fingerprint() const override { return fingerprint_; }

 private:
  void encode_plain(std::string_view text, bool parse_special, std::vector<int64_t>& ids) const;
  void encode_normalized(std::string_view text, bool first, bool parse_special,
                         std::vector<int64_t>& ids) const;
  uint64_t compute_fingerprint() const;

  TokenizerParts parts_;
  AddedTokens added_;
  int64_t vocab_size_ = 0;
  uint64_t fingerprint_ = 0;
};

}  // namespace plaudit
