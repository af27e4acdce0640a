// Which tokens are fed when, and what becomes of the logits: continuous batching.
#pragma once

#include <memory>
#include <vector>

#include "plaudit/model/decode_model.h"
#include "plaudit/model/generate.h"

namespace plaudit::decode {

// A model with what is needed to end answers and to write them as text.
struct Decoder {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Tokenizer> tokenizer;  // null: answers have no text
  int64_t vocab = 0, context = 0;
  std::vector<int64_t> stop_ids;
  std::shared_ptr<const Steering> steering = nullptr;
  int64_t hidden = 0;  // width of the hidden states that steering looks at
};

// Draws all answers, those to prompt i from streams[i]; prompts and options have been checked. Each pass
// feeds the last token of every answer in flight and some tokens of prompts that wait. A prompt is computed
// once, then forked for each answer. An answer that ends gives its place to the next one.
std::vector<std::vector<Completion>> run_decoding(const Decoder& decoder,
                                                  const std::vector<std::vector<int64_t>>& prompts,
                                                  const SamplingOptions& options,
                                                  const std::vector<Rng>& streams,
                                                  const GenerateCallbacks& callbacks);

}  // namespace plaudit::decode
