#include "plaudit/data/tokenizer_files.h"

#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/data/tokenizer.h"

namespace plaudit {

namespace fs = std::filesystem;

void copy_tokenizer_files(const std::string& tokenizer_json, const std::string& folder) {
  const auto from = fs::path(tokenizer_json).parent_path();
  create_folder(folder);
  std::error_code error;
  if (fs::equivalent(from.empty() ? fs::path(".") : from, folder, error)) return;
  // tokenizer.json last: a folder that has it has the rest.
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                           "chat_template.jinja", "vocab.json", "vocab.txt", "merges.txt", "tokenizer.model",
                           "sentence_bert_config.json", "tokenizer.json"}) {
    if (fs::exists(from / name))
      write_file_atomic((fs::path(folder) / name).string(), read_file((from / name).string()));
  }
}

void Tokenizer::save(const std::string& folder) const {
  if (source_.empty())
    fail(ErrorKind::value, folder, "the tokenizer was made in memory: it has no files to save");
  if (fs::path(source_).extension() == ".gguf")
    write_tokenizer_files(read_gguf_vocabulary(*GgufFile::open(source_)), folder);
  else
    copy_tokenizer_files(source_, folder);
}

}  // namespace plaudit
