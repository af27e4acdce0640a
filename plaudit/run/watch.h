// What becomes of a policy while it is trained: every few updates it answers a few prompts, and judge, reward
// model and KL from the reference are noted. Where the reward model's score still rises and the judge's
// falls, the reward is being over-optimised.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/run/judged_prompts.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

struct WatchOptions {
  PromptChoice prompts = {.prompts = "", .limit = 16};
  JudgeChoice judge = {};
  double max_unjudged = kMaxUnjudged;
  SamplingOptions sampling = {.max_new_tokens = 64};
};
template <>
void describe(OptionTable<WatchOptions>& table);

class Watch {
 public:
  // `reward_model` may be null.
  Watch(const WatchOptions& options, const Policy& policy, std::shared_ptr<const RewardModel> reward_model,
        RunContext& context);

  // The metrics of the policy as it is: watch/judge, watch/kl and, with a reward model, watch/reward.
  std::map<std::string, double> measure(int64_t step);

  // What was measured so far, kept in checkpoints.
  Json state() const { return points_; }
  void restore(const Json& state) { points_ = state; }
  // Draws the course into the report.
  void report(Report& report) const;

 private:
  Json point(int64_t step, const LanguageModel& model, bool use_adapter);

  WatchOptions options_;
  const Policy& policy_;
  std::shared_ptr<const RewardModel> reward_model_;
  std::unique_ptr<Judge> judge_;
  ReferenceModel reference_;
  std::vector<PromptRecord> records_;
  Rng rng_;
  Json points_ = Json::array();  // {"step", "watch/judge", "watch/kl", "watch/reward"}
};

}  // namespace plaudit
