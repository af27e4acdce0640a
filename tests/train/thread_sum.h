// Ranks as threads of one process: their collective.
#pragma once

#include <ATen/ATen.h>

#include <barrier>
#include <vector>

#include "plaudit/train/loop.h"

namespace plaudit {

// Sums tensors over threads that stand for ranks.
class ThreadSum {
 public:
  explicit ThreadSum(int64_t world) : slots_(static_cast<size_t>(world)), barrier_(world) {}

  Collective collective(int64_t rank) {
    return {rank, static_cast<int64_t>(slots_.size()), [this, rank](std::vector<at::Tensor>& tensors) {
              slots_[static_cast<size_t>(rank)].clear();
              for (const auto& tensor : tensors) slots_[static_cast<size_t>(rank)].push_back(tensor.clone());
              barrier_.arrive_and_wait();
              for (size_t i = 0; i < tensors.size(); ++i) {
                tensors[i].zero_();
                for (const auto& slot : slots_) tensors[i].add_(slot[i]);
              }
              barrier_.arrive_and_wait();
            }};
  }

 private:
  std::vector<std::vector<at::Tensor>> slots_;
  std::barrier<> barrier_;
};

}  // namespace plaudit
