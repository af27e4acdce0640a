// Keys and values of the tokens that were fed so far, in blocks of 64 positions.
//
// A sequence is a list of blocks. A fork shares its parent's blocks and appends to new ones, so the prompt of
// several answers is kept, and computed, once. Blocks are laid out as panels (see decode_kernels.h): scores
// and weighted sums are then the same product as a linear layer. Layers with a sliding window have blocks of
// their own, which return to the pool when the window has passed them.
//
// Not thread-safe, but calls of write() and blocks() for different sequences, layers or heads may run at
// once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <vector>

#include "plaudit/model/decode_kernels.h"

namespace plaudit::decode {

struct CacheShape {
  std::vector<int64_t> windows = {};  // per layer: keys that a query sees, itself included; 0: all
  int64_t kv_heads = 0, head_dim = 0;
};

template <class T>
class KvCache {
 public:
  explicit KvCache(CacheShape shape);

  // An empty sequence, or one that continues `parent` from where it is now.
  int64_t open();
  int64_t fork(int64_t parent);
  void close(int64_t sequence);

  int64_t length(int64_t sequence) const { return sequences_.at(sequence).length; }
  // Makes room for n more positions; each must then be written in every layer.
  void extend(int64_t sequence, int64_t n);
  // Gives back what no position from length() on can see any more.
  void trim(int64_t sequence);

  // k and v: [head_dim] of one head at one position.
  void write(int64_t sequence, int64_t layer, int64_t head, int64_t position, const float* k, const float* v);
  // The blocks that hold all positions of a sequence in one layer and head.
  void blocks(int64_t sequence, int64_t layer, int64_t head, std::vector<KeyBlock<T>>& out) const;

  // Elements between rows of a query, and of keys inside a block: head_dim padded to even.
  int64_t depth() const { return depth_; }
  // Blocks in use, over all kinds of layers.
  int64_t used_blocks() const;

 private:
  // Layers that see the same keys.
  struct Group {
    int64_t window = 0;
    int64_t layers = 0;
    std::vector<at::Tensor> blocks = {};  // each [layers, kv_heads, keys and values]
    std::vector<int64_t> references = {};
    std::vector<int64_t> free = {};
  };
  struct Entry {
    int64_t block, first, count;
  };
  struct Sequence {
    int64_t length = 0;
    bool sealed = false;                     // the last block is shared: append to a new one
    std::vector<std::vector<Entry>> tables;  // per group
  };

  int64_t take(Group& group);
  void release(Group& group, int64_t block);
  T* data(const Group& group, int64_t block, int64_t layer, int64_t head) const;

  CacheShape shape_;
  int64_t depth_, head_elements_;  // of one head of one layer in a block: keys, then values
  std::vector<Group> groups_;
  std::vector<std::pair<int64_t, int64_t>> place_;  // layer -> (group, layer within the group)
  std::map<int64_t, Sequence> sequences_;
  int64_t next_ = 0;
};

extern template class KvCache<float>;
extern template class KvCache<Bf16>;

}  // namespace plaudit::decode
