// The tokenizer.* keys of a GGUF file, checked.
//
// Errors are UserErrors that start with "<path>: tokenizer.ggml.<key>".
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "plaudit/core/gguf.h"
#include "plaudit/data/sentencepiece.h"

namespace plaudit {

struct GgufVocabulary {
  std::string path;
  std::string model;                // "gpt2" (byte-level BPE) or "llama" (SentencePiece)
  std::vector<std::string> tokens;  // by id, valid UTF-8; gpt2: in GPT-2's byte characters
  std::vector<TokenType> types;     // by id
  int64_t bos_id = -1, eos_id = -1, eot_id = -1, pad_id = -1, unk_id = -1;  // -1: none
  bool add_bos = false, add_eos = false;
  std::string chat_template;  // Jinja, "" for none

  // Of gpt2.
  std::string pre_tokenizer;  // a name of PreTokenizer::named
  std::vector<std::pair<std::string, std::string>> merges;
  // Of llama.
  std::vector<double> scores;
  bool space_prefix = false;  // a text starts with a space of its own

  std::string where(const std::string& key) const { return path + ": tokenizer.ggml." + key; }
  // Plain text can become this token; control and user-defined tokens are cut out of it before.
  bool is_text(size_t id) const {
    return types[id] != TokenType::control && types[id] != TokenType::user_defined;
  }
};

GgufVocabulary read_gguf_vocabulary(const GgufFile& file);

// The value of tokenizer.ggml.pre for a name of PreTokenizer::named.
std::string gguf_pre_name(const std::string& pre_tokenizer);

}  // namespace plaudit
