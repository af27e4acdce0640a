// Decoder-only transformers: Llama/SmolLM2, Qwen2, GPT-2 and Gemma-3.
//
// One class runs all four: the differences are fields of TransformerConfig, never subclasses. Weights are
// plain tensors under their Hugging Face names. Thread-safe for forward calls that do not change parameters.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plaudit/data/packing.h"
#include "plaudit/data/tokenizer.h"
#include "plaudit/model/config.h"
#include "plaudit/model/lora.h"
#include "plaudit/model/token_logps.h"

namespace plaudit {

enum class Precision { f32, bf16_autocast, bf16 };  // f32; f32 weights with bf16 products; bf16 weights

struct Parameter {
  std::string name;  // Hugging Face name, or base_model.model.<name>.lora_A.weight for an adapter
  at::Tensor tensor;
};

class Transformer {
 public:
  // `path`: a Hugging Face folder, a .gguf file, or a known name such as smollm2-135m (see model/resolve.h).
  static std::shared_ptr<Transformer> load(const std::string& path, at::ScalarType dtype = at::kFloat,
                                           at::Device device = at::kCPU);
  // Random weights from a seed; for tests and for training from scratch.
  static std::shared_ptr<Transformer> random(const TransformerConfig& config, uint64_t seed);

  // A model of its own with the same weights, adapter and settings.
  std::shared_ptr<Transformer> clone() const;

  const TransformerConfig& config() const { return config_; }

  // Final-norm hidden states [N, hidden] of a packed batch; differentiable in the parameters that require a
  // gradient. `use_adapter` false runs the base model (the reference of DPO).
  at::Tensor hidden(const PackedBatch& batch, bool use_adapter = true) const;
  // Logits of rows of hidden [c, hidden] -> [c, vocab], final softcap applied.
  at::Tensor logits(const at::Tensor& hidden_rows) const;
  // log p(targets[i] | rows[i]) and entropies, both [c] f32, without storing [c, vocab]; differentiable.
  std::pair<at::Tensor, at::Tensor> token_logps(const at::Tensor& hidden_rows, const at::Tensor& targets,
                                                double temperature = 1) const;
  // The same with logsumexp of the logits.
  TokenScores token_scores(const at::Tensor& hidden_rows, const at::Tensor& targets,
                           double temperature = 1) const;

  // Adds LoRA to the layers that the options name and freezes everything else. A target is the end of a
  // module name ("q_proj", "mlp.c_proj"), or "all-linear". UserError (value) when one matches nothing.
  void add_lora(const LoraOptions& options, uint64_t seed);
  bool has_lora() const { return !lora_.empty(); }
  // Folds the adapter into the weights.
  void merge_lora();

  // What training changes: the adapter when there is one, else all weights (a tied head once), else nothing
  // when frozen.
  std::vector<Parameter> trainable() const;
  void set_trainable(bool full);
  void set_precision(Precision precision);
  void set_gradient_checkpointing(bool on) { gradient_checkpointing_ = on; }
  // Adapter dropout of the calls that follow: masks are a pure function of the key (one per micro-batch, so
  // that a resumed run draws the same); none, the default: no dropout.
  void set_dropout_key(std::optional<uint64_t> key) { dropout_key_ = key; }
  Precision precision() const { return precision_; }
  at::Device device() const;

  // All matrices are [out, in] (model/weights.h).
  const std::map<std::string, at::Tensor>& weights() const { return weights_; }
  // A weight with the adapter folded in, where there is one and `use_adapter`.
  at::Tensor merged_weight(const std::string& name, bool use_adapter = true) const;
  // The matrix that turns hidden states into logits, [vocab, hidden].
  const at::Tensor& head_weight() const;
  const std::map<std::string, LoraLayer>& lora() const { return lora_; }
  const LoraOptions& lora_options() const { return lora_options_; }
  // The file or folder that the model was loaded from, "" when random.
  const std::string& source() const { return source_; }

  // Hash of architecture and weights (and adapter); keys caches.
  uint64_t fingerprint() const;

  // Saves a Hugging Face folder (config.json, model.safetensors; adapter merged in), or a PEFT adapter
  // folder.
  void save(const std::string& folder) const;
  void save_adapter(const std::string& folder) const;
  void load_adapter(const std::string& folder);
  // Writes a GGUF file of f32 or bf16 matrices, adapter merged in; `metadata` holds further keys, such as a
  // tokenizer's.
  void save_gguf(const std::string& path, const Json& metadata = Json::object()) const;

 private:
  friend class Generator;
  at::ScalarType compute_dtype() const;

  TransformerConfig config_;
  std::map<std::string, at::Tensor> weights_;
  std::map<std::string, LoraLayer> lora_;  // by the name of the weight that it changes
  LoraOptions lora_options_;
  Precision precision_ = Precision::f32;
  bool gradient_checkpointing_ = false;
  std::optional<uint64_t> dropout_key_;
  std::string source_;
};

// A language model that can read and write text: weights and tokenizer together.
struct LanguageModel {
  std::shared_ptr<Transformer> transformer;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string chat_family;  // "" for the model's own template
  std::string source;       // what the user named

  static LanguageModel load(const std::string& path, at::ScalarType dtype = at::kFloat,
                            at::Device device = at::kCPU);
  // A Hugging Face folder of weights (adapter merged in), tokenizer and chat template that `transformers` and
  // load() read; a chat_family takes the place of the model's own template.
  void save(const std::string& folder) const;
};

}  // namespace plaudit
