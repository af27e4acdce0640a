// What a tokenizer does to text before it is cut: the "normalizer" of tokenizer.json.
//
// Known types: NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, BertNormalizer,
// Sequence.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "plaudit/data/json_view.h"

namespace plaudit {

// The clean-up of BERT's tokenizers.
struct BertNormalizerOptions {
  bool clean_text = true;            // drop controls, turn white space into plain spaces
  bool handle_chinese_chars = true;  // put spaces around every CJK ideograph
  bool strip_accents = true;         // NFD, then drop marks (Mn)
  bool lowercase = true;
};
std::string bert_normalize(std::string_view text, const BertNormalizerOptions& options);

class Normalizer {
 public:
  using Step = std::function<std::string(std::string_view)>;

  // The identity.
  Normalizer() = default;
  explicit Normalizer(std::vector<Step> steps) : steps_(std::move(steps)) {}

  // UserError for a type that is not known.
  static Normalizer from_json(const JsonView& view);

  bool is_identity() const { return steps_.empty(); }
  std::string operator()(std::string_view text) const;

 private:
  std::vector<Step> steps_;
};

// SentencePiece: spaces become U+2581, and `space_prefix` puts one in front of any text.
Normalizer sentencepiece_normalizer(bool space_prefix);

// Every occurrence of `from` as `to`; `from` is not empty.
// What SentencePiece writes for a space: U+2581.
constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

}  // namespace plaudit
