// A transformer made ready for decoding: weights laid out once, sequences that remember their keys and
// values.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/model/config.h"
#include "plaudit/model/decode_kernels.h"

namespace plaudit::decode {

// Tokens that continue a sequence.
struct Feed {
  int64_t sequence = 0;
  std::vector<int64_t> ids;   // at least one
  bool wants_logits = false;  // of the last of them
};

// Sequences in flight and their cache. Not thread-safe.
class Session {
 public:
  virtual ~Session() = default;

  // A new sequence, or one that continues `parent` from where it is now, sharing its cache.
  virtual int64_t open() = 0;
  virtual int64_t fork(int64_t parent) = 0;
  virtual void close(int64_t sequence) = 0;

  // Runs the tokens of all feeds (of different sequences) at once. The rows of feeds that want logits are
  // kept, in order, until the next call; returns how many.
  virtual int64_t forward(const std::vector<Feed>& feeds) = 0;
  // Logits of kept rows [first, first + count), [count, vocab], final softcap applied.
  virtual void logits(int64_t first, int64_t count, float* out) = 0;
  // The hidden states behind them, after the final norm, [count, hidden].
  virtual void hidden(int64_t first, int64_t count, float* out) = 0;
};

// Thread-safe; each session keeps the model alive.
class Model {
 public:
  virtual ~Model() = default;
  virtual std::unique_ptr<Session> session() const = 0;
};

// The weight of that name as the model shall use it, [out, in]; undefined when there is none.
using WeightSource = std::function<at::Tensor(const std::string&)>;

// For the processor, with own kernels. T: float or Bf16.
template <class T>
std::shared_ptr<const Model> packed_model(const TransformerConfig& config, const WeightSource& weights,
                                          const KernelSet& set = kernels());

// For any device, with plain tensor operators; `compute`: of products and cache.
std::shared_ptr<const Model> tensor_model(const TransformerConfig& config, const WeightSource& weights,
                                          at::ScalarType compute);

// The factor of the embedding as the model was trained with: bf16 models have it in bf16.
double embedding_scale(const TransformerConfig& config, at::ScalarType stored);

}  // namespace plaudit::decode
