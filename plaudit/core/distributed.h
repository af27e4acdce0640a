// Several processes that work on one run, started by torchrun:
//
//   torchrun --nproc-per-node 2 --no-python build/plaudit run recipe.yaml
//
// Without torchrun's environment there is one rank and every call is trivial. Collectives use c10d: Gloo for
// CPU tensors, NCCL for CUDA tensors. All ranks make the same calls in the same order; a rank that is missing
// ends the others' calls with an error after the time-out.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace plaudit {

class Distributed {
 public:
  // Joins the group that the environment describes (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, LOCAL_RANK).
  // UserError when a variable is missing or not a number, or when the other ranks cannot be reached within
  // `timeout_seconds`.
  static std::shared_ptr<Distributed> from_environment(int64_t timeout_seconds = 300);
  ~Distributed();

  int64_t rank() const { return rank_; }
  int64_t world() const { return world_; }
  // The rank on this machine: the CUDA device that this process uses.
  int64_t local_rank() const { return local_rank_; }

  // Replaces each tensor by its sum over the ranks.
  void all_reduce_sum(std::vector<at::Tensor>& tensors);
  // Replaces each tensor by that of rank 0.
  void broadcast(std::vector<at::Tensor>& tensors);
  void barrier();

 private:
  struct Group;
  Distributed();

  int64_t rank_ = 0, world_ = 1, local_rank_ = 0;
  std::unique_ptr<Group> group_;  // null when alone
};

}  // namespace plaudit
