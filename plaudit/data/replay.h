// A replay buffer: the last transitions that a policy made, in preallocated f32 columns.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "plaudit/core/rng.h"

namespace plaudit {

struct ReplayBatch {
  at::Tensor observations;       // [B,S]
  at::Tensor previous_actions;   // [B,A], zeros at the start of an episode
  at::Tensor actions;            // [B,A]
  at::Tensor rewards;            // [B]
  at::Tensor next_observations;  // [B,S]
  at::Tensor terminals;          // [B], 1 where the process ended; a time limit is no end
  // [E], of a batch of whole episodes, one after another: their lengths, which add up to B. Else undefined.
  at::Tensor lengths = {};
};

class ReplayBuffer {
 public:
  // UserErrors (value): a size below 1.
  ReplayBuffer(int64_t capacity, int64_t observations, int64_t actions);

  // One transition, `observation` [S] and so on; a full buffer forgets the oldest.
  void add(const float* observation, const float* previous_action, const float* action, float reward,
           const float* next_observation, bool terminal);
  // Draws with replacement. UserError (empty) when nothing was added.
  ReplayBatch sample(int64_t batch, Rng& rng) const;

  int64_t size() const { return size_; }
  int64_t capacity() const { return columns_.rewards.size(0); }

  // What a checkpoint must hold, and back; the tensors share the buffer's memory.
  std::map<std::string, at::Tensor> columns() const;
  int64_t next() const { return next_; }
  void restore(int64_t size, int64_t next);

 private:
  ReplayBatch columns_;
  int64_t size_ = 0, next_ = 0;
};

}  // namespace plaudit
