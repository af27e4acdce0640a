// Tokenizers from Hugging Face files.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plaudit/data/added_tokens.h"
#include "plaudit/data/json_view.h"
#include "plaudit/data/tokenizer.h"

namespace plaudit {

// `file` is a tokenizer.json; the other files of a model are looked for beside it. Every mistake in a file is
// a UserError that names the file and the key.
std::shared_ptr<const Tokenizer> load_tokenizer_json(const std::string& file);

// Parts of the file, as it writes them. `file` is the whole of it; "model.vocab"; one of "model.merges".
std::vector<AddedToken> read_added_tokens(const JsonView& file);
std::vector<std::pair<std::string, int64_t>> read_vocab(const JsonView& vocab);
std::pair<std::string, std::string> read_merge(const JsonView& merge);
// The ids that the post-processor puts around a text: before and behind it.
std::pair<std::vector<int64_t>, std::vector<int64_t>> read_post_processor(const JsonView& post_processor);

}  // namespace plaudit
