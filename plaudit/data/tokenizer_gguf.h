// Tokenizers from the metadata of a GGUF file (keys tokenizer.ggml.*).
#pragma once

#include <memory>

#include "plaudit/core/gguf.h"
#include "plaudit/data/tokenizer.h"

namespace plaudit {

// Models "gpt2" (byte-level BPE, cut as tokenizer.ggml.pre says) and "llama" (SentencePiece). Control tokens
// (type 3) are special; user-defined ones (type 4) are recognised in any text. A file carries no normaliser
// and none is applied. Generation ends at the EOS token and at the file's end-of-turn token: the one it names
// (eot_token_id), or a control token with one of the usual texts (<|im_end|>, <|eot_id|>, <end_of_turn>,
// ...). UserError that names the file and the key where something is missing, of a wrong type or not
// supported.
std::shared_ptr<const Tokenizer> tokenizer_from_gguf(const GgufFile& file);

}  // namespace plaudit
