// Text <-> token ids with a model's own tokenizer.
//
// Load from a Hugging Face folder (tokenizer.json; special tokens and templates also from
// tokenizer_config.json, special_tokens_map.json, generation_config.json, config.json, chat_template.jinja)
// or from the metadata of a GGUF file. Encoding is pure and thread-safe.
//
// Text that is not UTF-8 is repaired first: each maximal invalid part becomes U+FFFD.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plaudit/data/records.h"

namespace plaudit {

class GgufFile;

struct EncodeOptions {
  // Put BOS/EOS (or [CLS]/[SEP]) as the tokenizer's own settings say; a BOS that the text starts with is not
  // doubled. A sentence encoder also cuts to its max_seq_length here.
  bool add_special = false;
  bool parse_special = true;  // recognise special tokens in the text; false for text that users typed
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // `path` is a folder with tokenizer.json, a tokenizer.json itself, or a .gguf file.
  static std::shared_ptr<const Tokenizer> load(const std::string& path);
  static std::shared_ptr<const Tokenizer> from_gguf(const GgufFile& file);

  virtual std::vector<int64_t> encode(std::string_view text, const EncodeOptions& options = {}) const = 0;
  // Bytes of the tokens, joined. Invalid UTF-8 becomes U+FFFD.
  std::string decode(const std::vector<int64_t>& ids, bool skip_special = false) const;
  // The raw bytes of one token; "" for a special token when skip_special, and for an id without a token
  // (models pad their vocabulary).
  virtual std::string token_bytes(int64_t id, bool skip_special) const = 0;

  virtual int64_t vocab_size() const = 0;
  // -1 where the tokenizer has none.
  int64_t bos_id() const { return bos_id_; }
  int64_t pad_id() const { return pad_id_; }
  int64_t unk_id() const { return unk_id_; }
  // The token appended to an answer, and all tokens that end generation: those of generation_config.json, or
  // else config.json; in a GGUF file also its end-of-turn token.
  int64_t eos_id() const { return stop_ids_.empty() ? -1 : stop_ids_.front(); }
  const std::vector<int64_t>& stop_ids() const { return stop_ids_; }
  bool adds_bos() const { return add_bos_; }
  bool adds_eos() const { return add_eos_; }
  // Decoding drops one space at the start, which encoding had put there (Llama-2, BERT).
  bool strips_leading_space() const { return strips_leading_space_; }

  // The chat template: Jinja source, or "" when the model has none.
  const std::string& chat_template() const { return chat_template_; }
  // Renders messages. `family` overrides the model's own template ("chatml", "smollm2", "qwen2", "llama3",
  // "gemma"); UserError when there is neither.
  std::string apply_chat(const std::vector<Message>& messages, bool add_generation_prompt,
                         const std::string& family = "") const;

  // The ids of a prompt: a chat is rendered with the generation prompt, text is encoded as it is; BOS is put
  // once, when the tokenizer wants one and the text does not already start with it.
  std::vector<int64_t> encode_prompt(const Prompt& prompt, const std::string& family = "") const;

  // Writes the files of a Hugging Face folder that `transformers` and load() read this tokenizer from: copies
  // of those that it was loaded from, or new ones from a GGUF file (data/tokenizer_files.h). UserError
  // (value) for one that was made in memory.
  virtual void save(const std::string& folder) const;
  // The folder or file that it was loaded from, "" when it was made in memory.
  const std::string& source() const { return source_; }

  // Everything that identifies this tokenizer (vocabulary, merges, template), hashed; keys caches.
  virtual uint64_t fingerprint() const = 0;

 protected:
  int64_t bos_id_ = -1, pad_id_ = -1, unk_id_ = -1;
  std::vector<int64_t> stop_ids_;
  bool add_bos_ = false, add_eos_ = false, strips_leading_space_ = false;
  std::string chat_template_;
  std::string source_;
};

// Decodes a stream of tokens; holds back bytes that do not yet form a whole UTF-8 character.
class StreamDecoder {
 public:
  explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = true);
  // The text that became complete with this token.
  std::string push(int64_t id);
  // What is left at the end; incomplete bytes become U+FFFD. The decoder is then as new.
  std::string finish();

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool skip_special_;
  std::string pending_;
  bool at_start_ = true;
};

}  // namespace plaudit
