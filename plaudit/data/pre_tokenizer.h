// Cuts text into the pieces inside which a subword model merges: the "pre_tokenizer" of tokenizer.json.
//
// Known types: Split (String or Regex), Digits, Punctuation, Whitespace, WhitespaceSplit, ByteLevel,
// Metaspace, BertPreTokenizer, Sequence; and by name those of GGUF files: gpt2, smollm, llama3, qwen2.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "plaudit/data/json_view.h"

namespace plaudit {

// Pieces are views of the text that was cut, or of strings kept here where a step had to change the text.
struct Pieces {
  std::vector<std::string_view> views;
  std::deque<std::string> changed;
};

class PreTokenizer {
 public:
  // Cuts one piece and appends the results. `first` says whether the piece stands at the start of the text.
  using Step = std::function<void(std::string_view piece, bool first, Pieces& out)>;

  // The identity: the whole text is one piece.
  PreTokenizer() = default;

  // "gpt2", "smollm" (every number character alone, then gpt2), "llama3", "qwen2"; UserError otherwise.
  static const PreTokenizer& named(const std::string& name);
  static const std::vector<std::string>& names();
  // A named one as tokenizer.json writes it; and the name of one written there that cuts alike, "" for
  // others.
  static nlohmann::json json_of(const std::string& name);
  static std::string name_of(const JsonView& view);
  // That of BERT: white space and every punctuation character.
  static PreTokenizer bert();

  // UserError for a type that is not known.
  static PreTokenizer from_json(const JsonView& view);

  // Bytes are written with GPT-2's byte characters in the vocabulary behind this pre-tokenizer.
  bool is_byte_level() const { return byte_level_; }
  // Spaces are written as U+2581 (Metaspace).
  bool is_metaspace() const { return metaspace_; }

  // The pieces of valid UTF-8 `text`, appended to `out`; none is empty.
  void split(std::string_view text, bool first, Pieces& out) const;

 private:
  void add(const JsonView& view);

  std::vector<Step> steps_;
  bool byte_level_ = false;
  bool metaspace_ = false;
};

}  // namespace plaudit
