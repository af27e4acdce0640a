#include "plaudit/eval/decision_frequency.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/checks.h"

namespace plaudit {
namespace {

// Episodes that run side by side, so that one call of the policy serves them all.
class Episodes {
 public:
  Episodes(const std::function<std::unique_ptr<Environment>()>& make, int64_t count, const Rng& rng) {
    for (int64_t e = 0; e < count; ++e) {
      environments_.push_back(make());
      auto start = rng.child(e);
      environments_.back()->reset(start);
    }
    const auto& spec = environments_.front()->spec();
    observations_ = at::zeros({count, spec.observation.size()}, at::kDouble);
    previous_ = at::zeros({count, spec.action.size()}, at::kFloat);
    returns_ = at::zeros({count}, at::kDouble);
    ended_.assign(static_cast<size_t>(count), false);
  }

  at::Tensor run(const SequencePolicy& policy, int64_t length) {
    const auto limit = environments_.front()->spec().max_steps;
    for (int64_t t = 0; t < limit && !all_ended();) {
      for (size_t e = 0; e < environments_.size(); ++e)
        environments_[e]->observe(observations_.data_ptr<double>() +
                                  static_cast<int64_t>(e) * observations_.size(1));
      const auto actions = policy(observations_.to(at::kFloat), previous_, length).contiguous();
      for (int64_t j = 0; j < length && t < limit; ++j, ++t) step(actions, j, t);
      previous_ = actions.select(1, length - 1).contiguous();
    }
    return returns_;
  }

 private:
  bool all_ended() const { return std::find(ended_.begin(), ended_.end(), false) == ended_.end(); }

  void step(const at::Tensor& actions, int64_t j, int64_t t) {
    const int64_t size = actions.size(2);
    std::vector<double> stretched(static_cast<size_t>(size));
    for (size_t e = 0; e < environments_.size(); ++e) {
      if (ended_[e]) continue;
      const auto* action =
          actions.const_data_ptr<float>() + (static_cast<int64_t>(e) * actions.size(1) + j) * size;
      const auto& box = environments_[e]->spec().action;
      for (int64_t i = 0; i < size; ++i) stretched[static_cast<size_t>(i)] = box.stretched(i, action[i]);
      const auto outcome = environments_[e]->step(stretched.data());
      if (outcome.diverged != nullptr)
        fail(ErrorKind::nan, "eval.frequency_returns",
             fmt::format("{} diverged in episode {}, step {}: {}", environments_[e]->spec().id, e, t,
                         outcome.diverged));
      returns_.data_ptr<double>()[e] += outcome.reward;
      ended_[e] = outcome.terminated;
    }
  }

  std::vector<std::unique_ptr<Environment>> environments_;
  at::Tensor observations_, previous_, returns_;
  std::vector<bool> ended_;
};

}  // namespace

at::Tensor frequency_returns(const std::function<std::unique_ptr<Environment>()>& make,
                             const SequencePolicy& policy, const std::vector<int64_t>& lengths,
                             int64_t episodes, const Rng& rng) {
  const Check check("eval.frequency_returns");
  if (lengths.empty()) check.refuse(ErrorKind::empty, "lengths", "must list the steps between decisions");
  for (const auto length : lengths) check.that(length >= 1, "lengths", ">= 1", length);
  check.that(episodes >= 1, "episodes", ">= 1", episodes);
  std::vector<at::Tensor> out;
  for (const auto length : lengths) out.push_back(Episodes(make, episodes, rng).run(policy, length));
  return at::stack(out);
}

}  // namespace plaudit
