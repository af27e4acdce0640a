// Tokenizers as files for other programs.
//
// Errors are UserErrors that start with a path: io for files that cannot be read or written, value for a
// tokenizer that the other format cannot hold.
#pragma once

#include <string>

#include "plaudit/data/gguf_vocabulary.h"
#include "plaudit/data/records.h"

namespace plaudit {

// Copies a tokenizer.json, and those of the files beside it that tell how it is used (special tokens, chat
// template, vocabulary files of older programs), into another folder.
void copy_tokenizer_files(const std::string& tokenizer_json, const std::string& folder);

// Writes tokenizer.json, tokenizer_config.json and, where there is a template, chat_template.jinja. Programs
// that read them find the same ids as plaudit does in the GGUF file; SentencePiece scores become merges. One
// thing is lost: of a vocabulary with a space prefix, what follows a user-defined token gets a prefix too.
void write_tokenizer_files(const GgufVocabulary& vocabulary, const std::string& folder);

// The tokenizer.* keys of a GGUF file for the tokenizer of a folder, a tokenizer.json or another GGUF file.
// Missing ids up to `vocab`, the number of rows of the model's embedding, become unused tokens. GGUF files
// hold no Unicode normaliser (Qwen2's NFC): their readers apply none.
Json tokenizer_to_gguf(const std::string& source, int64_t vocab);

}  // namespace plaudit
