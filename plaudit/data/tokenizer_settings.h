// What the files beside tokenizer.json say about a tokenizer: special tokens, what ends generation, chat
// template, length limit of a sentence encoder.
#pragma once

#include <string>

#include "plaudit/data/tokenizer_pipeline.h"

namespace plaudit {

// `file` is the path of tokenizer.json; model and added tokens of `parts` have been read. Later files only
// fill what earlier ones leave open:
//   bos, eos, pad, unk   tokenizer_config.json, special_tokens_map.json
//   further stop ids     generation_config.json, else config.json (a number or a list)
//   add_bos_token, ...   tokenizer_config.json, when tokenizer.json has no template of its own
//   chat template        chat_template.jinja, tokenizer_config.json (the one named "default" of a list)
//   max_seq_length       sentence_bert_config.json
void read_model_settings(const std::string& file, TokenizerParts& parts);

// The id of a token of `parts` by its text; -1 when there is none.
int64_t token_id(const TokenizerParts& parts, const std::string& content);

// Adds `id` unless it is there, or negative.
void add_stop_id(TokenizerParts& parts, int64_t id);

}  // namespace plaudit
