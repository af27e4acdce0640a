// A policy that is pulled towards logged actions, each with a weight: what cloning and IQL have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/train/adamw.h"
#include "plaudit/train/control_learner.h"

namespace plaudit {

struct RegressedPolicyOptions {
  std::string policy = "deterministic";  // or gaussian
  std::vector<int64_t> hidden = {256, 256};
  double learning_rate = 3e-4;
  std::string schedule = "cosine";  // of the rate over the run's steps; or constant
};
template <>
void describe(OptionTable<RegressedPolicyOptions>& table);

class RegressedPolicy {
 public:
  // `steps` of the schedule.
  RegressedPolicy(int64_t observations, int64_t actions, const RegressedPolicyOptions& options, int64_t steps,
                  const Rng& rng);

  // One step down mean(weight |pi(s) - a|^2), or mean(weight (-log pi(a|s))) where it is gaussian. `step` is
  // that of the run, from 1.
  void update(const std::string& method, const ReplayBatch& batch, const at::Tensor& weights, int64_t step);

  const ControlActor& actor() const { return actor_; }
  const at::Tensor& loss() const { return loss_; }
  void add_to(std::vector<Parameter>& state) const;

 private:
  RegressedPolicyOptions options_;
  int64_t steps_;
  ControlActor actor_;
  std::unique_ptr<AdamW> optimizer_;
  at::Tensor loss_;
};

// Behaviour cloning: every logged action weighs the same.
class CloningLearner : public ControlLearner {
 public:
  CloningLearner(int64_t observations, int64_t actions, const RegressedPolicyOptions& options, int64_t steps,
                 const Rng& rng)
      : options_(options), policy_(observations, actions, options, steps, rng) {}

  void update(const ReplayBatch& batch, int64_t step, Rng& rng) override;
  std::map<std::string, double> metrics() const override;  // actor_loss
  const ControlActor& actor() const override { return policy_.actor(); }
  std::vector<Parameter> state() const override;
  std::string settings() const override;

 private:
  RegressedPolicyOptions options_;
  RegressedPolicy policy_;
};

}  // namespace plaudit
