#include "plaudit/data/tokenizer_gguf.h"

#include <algorithm>

#include "plaudit/data/bpe.h"
#include "plaudit/data/gguf_vocabulary.h"
#include "plaudit/data/tokenizer_pipeline.h"
#include "plaudit/data/tokenizer_settings.h"

namespace plaudit {
namespace {

// `raw_control`: control tokens are cut out before the text is normalised, and user-defined ones after.
std::vector<AddedToken> added_tokens(const GgufVocabulary& vocabulary, bool raw_control) {
  std::vector<AddedToken> out;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    if (vocabulary.is_text(i)) continue;
    const bool control = vocabulary.types[i] == TokenType::control;
    out.push_back({.id = static_cast<int64_t>(i),
                   .content = vocabulary.tokens[i],
                   .special = control,
                   .normalized = !(control && raw_control)});
  }
  return out;
}

void make_bpe(GgufVocabulary& vocabulary, TokenizerParts& parts) {
  parts.pre_tokenizer = PreTokenizer::named(vocabulary.pre_tokenizer);
  parts.cutting = vocabulary.pre_tokenizer;
  BpeOptions options;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    if (vocabulary.is_text(i)) options.vocab.emplace_back(vocabulary.tokens[i], i);
  }
  options.merges = std::move(vocabulary.merges);
  options.ignore_merges = vocabulary.pre_tokenizer == "llama3";
  parts.model = std::make_unique<BpeModel>(std::move(options), vocabulary.where("tokens"));
  parts.added = added_tokens(vocabulary, /*raw_control=*/false);
}

void make_sentencepiece(const GgufVocabulary& vocabulary, TokenizerParts& parts) {
  std::vector<SentencePieceToken> tokens;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i)
    tokens.push_back({vocabulary.tokens[i], vocabulary.scores[i], vocabulary.types[i]});
  const bool prefix = vocabulary.space_prefix;
  parts.normalizer = sentencepiece_normalizer(prefix);
  parts.token_normalizer = sentencepiece_normalizer(false);
  parts.cutting = prefix ? "spaces, prefix" : "spaces";
  parts.strips_leading_space = prefix;
  parts.model =
      std::make_unique<SentencePieceModel>(std::move(tokens), vocabulary.unk_id, vocabulary.where("tokens"));
  parts.added = added_tokens(vocabulary, /*raw_control=*/prefix);
}

void add_turn_ends(TokenizerParts& parts) {
  static const std::vector<std::string> usual = {"<|im_end|>",    "<|eot_id|>", "<|eom_id|>",
                                                 "<end_of_turn>", "<|end|>",    "<|end_of_turn|>"};
  for (const auto& token : parts.added) {
    if (token.special && std::find(usual.begin(), usual.end(), token.content) != usual.end())
      add_stop_id(parts, token.id);
  }
}

}  // namespace

std::shared_ptr<const Tokenizer> tokenizer_from_gguf(const GgufFile& file) {
  auto vocabulary = read_gguf_vocabulary(file);
  TokenizerParts parts;
  parts.source = file.path();
  parts.bos_id = vocabulary.bos_id;
  parts.pad_id = vocabulary.pad_id;
  parts.unk_id = vocabulary.unk_id;
  if (vocabulary.model == "gpt2")
    make_bpe(vocabulary, parts);
  else
    make_sentencepiece(vocabulary, parts);
  add_stop_id(parts, vocabulary.eos_id);
  add_stop_id(parts, vocabulary.eot_id);
  add_turn_ends(parts);
  if (vocabulary.add_bos) parts.prefix = {vocabulary.bos_id};
  if (vocabulary.add_eos) parts.suffix = {vocabulary.eos_id};
  parts.chat_template = vocabulary.chat_template;
  return std::make_shared<PipelineTokenizer>(std::move(parts));
}

}  // namespace plaudit
