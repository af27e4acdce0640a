#include "plaudit/eval/control_rollout.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>

#include "plaudit/env/vector_env.h"

namespace plaudit {
namespace {

const Check returns_check("eval.control_returns");

// The first episodes of `n` environments, the first of which has `seed`.
void play(const std::string& task, const ControlPolicy& policy, int64_t n, uint64_t seed, EpisodeReturns& out,
          const EpisodeWatch& watch = {}) {
  VectorEnv env(task, n);
  const auto& spec = env.spec();
  auto observations = at::empty({n, spec.observation.size()}, at::kDouble);
  std::vector<double> returns(n), rewards(n), scaled(n * spec.action.size());
  std::vector<int64_t> lengths(n);
  const auto flags = [n] { return std::make_unique<bool[]>(n); };
  const auto terminated = flags(), truncated = flags(), finished = flags();
  auto* o = observations.mutable_data_ptr<double>();
  env.reset(seed, o);
  for (int64_t running = n, step = 0; running > 0; ++step) {
    if (watch && !watch(step, env.environment(0))) break;
    const auto actions = policy(observations.to(at::kFloat));
    returns_check.shape("policy's actions", actions, {n, spec.action.size()});
    const auto unit = actions.to(at::kDouble).contiguous();
    for (int64_t k = 0; k < unit.numel(); ++k)
      scaled[static_cast<size_t>(k)] =
          spec.action.stretched(k % spec.action.size(), unit.const_data_ptr<double>()[k]);
    env.step(scaled.data(), {.observations = o,
                             .rewards = rewards.data(),
                             .terminated = terminated.get(),
                             .truncated = truncated.get()});
    for (int64_t i = 0; i < n; ++i) {
      if (finished[i]) continue;
      returns[i] += rewards[i];
      ++lengths[i];
      finished[i] = terminated[i] || truncated[i];
      if (finished[i]) --running;
    }
  }
  out.returns.insert(out.returns.end(), returns.begin(), returns.end());
  out.lengths.insert(out.lengths.end(), lengths.begin(), lengths.end());
}

// The action that the actor means, at every step.
ControlPolicy meaning(const ControlActor& actor) {
  return [&actor](const Tensor& observations) {
    const auto before = at::zeros({observations.size(0), actor.options().actions});
    return actor.act(observations, before).select(1, 0);
  };
}

}  // namespace

EpisodeReturns control_returns(const std::string& task, const ControlPolicy& policy, int64_t episodes,
                               uint64_t seed, int64_t side_by_side) {
  returns_check.that(episodes >= 1, "episodes", ">= 1", episodes);
  returns_check.that(side_by_side >= 1, "side_by_side", ">= 1", side_by_side);
  const at::NoGradGuard no_grad;
  EpisodeReturns out;
  for (int64_t done = 0; done < episodes; done += side_by_side)
    play(task, policy, std::min(side_by_side, episodes - done), seed + static_cast<uint64_t>(done), out);
  return out;
}

EpisodeReturns control_returns(const std::string& task, const ControlActor& actor, int64_t episodes,
                               uint64_t seed) {
  return control_returns(task, meaning(actor), episodes, seed);
}

EpisodeReturns watched_return(const std::string& task, const ControlActor& actor, uint64_t seed,
                              const EpisodeWatch& watch) {
  const at::NoGradGuard no_grad;
  EpisodeReturns out;
  play(task, meaning(actor), 1, seed, out, watch);
  return out;
}

double mean_control_return(const std::string& task, const ControlActor& actor, int64_t episodes,
                           uint64_t seed) {
  return at::tensor(control_returns(task, actor, episodes, seed).returns, at::kDouble).mean().item<double>();
}

}  // namespace plaudit
