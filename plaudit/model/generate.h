// Sampling with a KV cache: prompts of unequal length in one batch, K samples per prompt sharing the prompt's
// cache. An answer that ends makes room for the next at once, so no row is ever padding.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/model/steering.h"
#include "plaudit/model/transformer.h"

namespace plaudit {

struct SamplingOptions {
  int64_t max_new_tokens = 128;
  double temperature = 1;  // 0: greedy
  int64_t top_k = 0;       // 0: off
  double top_p = 1;
  double min_p = 0;
  std::vector<std::string> stop = {};  // text that ends an answer; it is not part of the answer's text
  int64_t per_prompt = 1;              // answers per prompt
  int64_t batch = 32;                  // answers decoded side by side
  bool ignore_stop = false;            // go on to max_new_tokens whatever the model says; for measurements
};

struct Completion {
  std::vector<int64_t> ids;  // the new tokens, the ending token included
  std::vector<float> logps;  // log-probability of each as it was drawn, at temperature 1, [ids.size()]
  std::string text;          // decoded, without special tokens and stop strings
  std::string finish;        // "stop" (ended by itself), "length"
  std::vector<float> base_logps = {};  // with steering: logps of the model alone; else empty
};

struct GenerateCallbacks {
  std::function<void(int64_t prompt, int64_t sample, int64_t id)> on_token = {};  // tokens as they come
  std::function<void(int64_t done, int64_t total)> on_done = {};                  // answers finished so far
};

// Draws per_prompt answers for each prompt; result [prompts][per_prompt]. Answer (i, k) draws from
// rng.child(i).child(k), and on the processor its logits are computed independently of its neighbours: it is
// the same, bit for bit, whatever the batch. Weights are packed once at construction: build a new Generator
// after training changed the model.
//
// UserErrors (starting with "generate"): an empty prompt, one that leaves no room in the model's context, an
// id outside the vocabulary, an option out of range, logits that are not finite. An answer stops ("length")
// where the context ends. Thread-safe.
class Generator {
 public:
  // `precision`: "f32", "bf16", or "auto" (bf16 where the processor multiplies it natively). `steering`, when
  // there is one, changes the logits before temperature and filters.
  explicit Generator(const LanguageModel& model, const std::string& precision = "auto",
                     bool use_adapter = true, std::shared_ptr<const Steering> steering = nullptr);
  ~Generator();
  std::vector<std::vector<Completion>> generate(const std::vector<std::vector<int64_t>>& prompts,
                                                const SamplingOptions& options, const Rng& rng,
                                                const GenerateCallbacks& callbacks = {}) const;
  // The same with a stream for each prompt: answer (i, k) draws from streams[i].child(k).
  std::vector<std::vector<Completion>> generate(const std::vector<std::vector<int64_t>>& prompts,
                                                const SamplingOptions& options,
                                                const std::vector<Rng>& streams,
                                                const GenerateCallbacks& callbacks = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plaudit
