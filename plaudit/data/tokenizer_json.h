// Tokenizers from Hugging Face files.
#pragma once

#include <memory>
#include <string>

#include "plaudit/data/tokenizer.h"

namespace plaudit {

// `file` is a tokenizer.json; the other files of a model are looked for beside it. Every mistake in a file is
// a UserError that names the file and the key.
std::shared_ptr<const Tokenizer> load_tokenizer_json(const std::string& file);

}  // namespace plaudit
