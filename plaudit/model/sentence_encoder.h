// Sentence encoders of the all-MiniLM-L6-v2 class: BERT (Devlin et al. 2018, arXiv 1810.04805), the mean over
// its last layer, and L2 normalisation (Reimers and Gurevych 2019, arXiv 1908.10084).
//
// Post-LN: x = LN(word + position + token type 0); per layer x = LN(x + dense(attention(x))) and
// x = LN(x + output(gelu(intermediate(x)))). Frozen: no gradients. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/data/tokenizer.h"
#include "plaudit/model/activation.h"

namespace plaudit {

struct SentenceEncoderConfig {
  int64_t vocab = 0, hidden = 0, layers = 0, heads = 0, ffn = 0, context = 0;
  double norm_eps = 1e-12;
  Activation activation = Activation::gelu;
  bool normalize = true;  // modules.json lists Normalize, or is absent
};

class SentenceEncoder {
 public:
  // `path`: a folder of sentence-transformers (config.json, *.safetensors, tokenizer.json), or a known name
  // such as minilm-l6. UserError for another architecture, another pooling than the mean, or missing weights.
  static std::shared_ptr<SentenceEncoder> load(const std::string& path, at::Device device = at::kCPU);

  // One vector per text -> [texts, hidden] f32. Texts are cut to max_seq_length tokens. They run in groups of
  // equal length, so that nothing is computed for padding and no vector depends on the other texts. Kind
  // empty without texts; an empty text has the vector of [CLS] [SEP].
  at::Tensor embed(const std::vector<std::string>& texts) const;
  // The same for token ids; kind empty for a text without tokens, value for one that is longer than the
  // context or an id outside of the vocabulary.
  at::Tensor embed_ids(const std::vector<std::vector<int64_t>>& ids) const;

  const SentenceEncoderConfig& config() const { return config_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  // ids [B, T] -> the last layer [B, T, hidden].
  at::Tensor hidden(const at::Tensor& ids) const;
  at::Tensor layer(const at::Tensor& x, int64_t index) const;
  at::Tensor linear(const at::Tensor& x, const std::string& name) const;
  at::Tensor layer_norm(const at::Tensor& x, const std::string& name) const;
  const at::Tensor& weight(const std::string& name) const { return weights_.at(name); }

  SentenceEncoderConfig config_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::map<std::string, at::Tensor> weights_;  // Hugging Face names without "bert."
};

}  // namespace plaudit
