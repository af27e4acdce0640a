#include "plaudit/objective/sqirl.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"
#include "plaudit/objective/returns.h"

namespace plaudit {
namespace {

constexpr double kUnvisited = -1e9;

// The mean target of every (state, action) cell, [S,A].
Tensor cell_means(const Tensor& states, const Tensor& actions, const Tensor& targets, int64_t num_states,
                  int64_t num_actions) {
  const auto cell = states * num_actions + actions;
  const auto zero = at::zeros({num_states * num_actions}, targets.options());
  const auto total = zero.index_add(0, cell, targets),
             count = zero.index_add(0, cell, at::ones_like(targets));
  return at::where(count > 0, total / count, at::full_like(total, kUnvisited))
      .view({num_states, num_actions});
}

}  // namespace

Tensor sqirl_targets(const Tensor& rewards, const Tensor& dones, const Tensor& returns,
                     const SqirlTargetOptions& options) {
  const Check check("offline.sqirl_targets");
  check_arguments(check, {{"rewards", rewards, "B"},
                          {"dones", dones, "B"},
                          {"returns", returns, "B"},
                          {"next_q", options.next_q.value_or(Tensor()), "BKA"}});
  check_discount(check, options.gamma);
  check.that(options.reward_scale > 0, "reward_scale", "> 0", options.reward_scale);
  const auto first = (options.reward_scale * as_real(returns)).unsqueeze(1);
  if (!options.next_q) return first.detach();
  const auto heads = as_real(*options.next_q).slice(1, 0, options.next_q->size(1) - 1);
  const auto alive = (1 - as_real(dones)).unsqueeze(1);
  const auto later =
      options.reward_scale * as_real(rewards).unsqueeze(1) + options.gamma * alive * heads.amax(2);
  return at::cat({first, later}, 1).detach();
}

Tensor sqirl_loss(const Tensor& q, const Tensor& actions, const Tensor& targets, bool huber) {
  const Check check("offline.sqirl_loss");
  check_arguments(check, {{"q", q, "BKA"}, {"actions", actions, "B"}, {"targets", targets, "BK"}});
  check.index_range("actions", actions, 0, q.size(2));
  const auto taken = actions.to(at::kLong).view({-1, 1, 1}).expand({-1, q.size(1), 1});
  const auto values = as_real(q).gather(2, taken).squeeze(2), goal = as_real(targets).detach();
  return huber ? at::smooth_l1_loss(values, goal) : (values - goal).square().mean();
}

Tensor sqirl_q_tabular(const Tensor& states, const Tensor& actions, const Tensor& rewards,
                       const SqirlTable& options) {
  const Check check("offline.sqirl_q_tabular");
  check_arguments(check, {{"actions", actions, "BT"}, {"rewards", rewards, "BT"}, {"states", states, "BU"}});
  const int64_t steps = actions.size(1);
  if (states.size(1) != steps + 1)
    check.refuse(ErrorKind::shape, "states",
                 fmt::format("must have T + 1 = {} columns, got {}", steps + 1, shape_of(states)));
  check.that(options.num_states >= 1, "num_states", ">= 1", options.num_states);
  check.that(options.num_actions >= 1, "num_actions", ">= 1", options.num_actions);
  check.index_range("states", states, 0, options.num_states);
  check.index_range("actions", actions, 0, options.num_actions);
  check.that(options.timestep >= 0 && options.timestep < steps, "timestep", fmt::format("in [0, {})", steps),
             options.timestep);
  check.that(options.k >= 1, "k", ">= 1", options.k);
  check_discount(check, options.gamma);

  const int64_t k = std::min(options.k, steps - options.timestep);
  const auto s = states.to(at::kLong), a = actions.to(at::kLong);
  const auto r = as_real(rewards), returns = discounted_returns(r, options.gamma);
  Tensor q;
  for (int64_t t = options.timestep + k - 1; t >= options.timestep; --t) {
    const auto target = q.defined()
                            ? r.select(1, t) + options.gamma * q.amax(1).index_select(0, s.select(1, t + 1))
                            : returns.select(1, t);
    q = cell_means(s.select(1, t), a.select(1, t), target, options.num_states, options.num_actions);
  }
  return q;
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def(
      "sqirl_targets(Tensor rewards, Tensor dones, Tensor returns, Tensor? next_q=None, float gamma=0.99, "
      "float "
      "reward_scale=1.) -> (Tensor targets)",
      [](const Tensor& rewards, const Tensor& dones, const Tensor& returns, std::optional<Tensor> next_q,
         double gamma, double scale) {
        return sqirl_targets(rewards, dones, returns, {std::move(next_q), gamma, scale});
      },
      "Targets of fitted Q-iteration that starts at the return.", {"08"});
  m.def("sqirl_loss(Tensor q, Tensor actions, Tensor targets, bool huber=False) -> (Tensor loss)",
        &sqirl_loss, "Regression of all heads on their targets.", {"08"});
  m.def(
      "sqirl_q_tabular(Tensor states, Tensor actions, Tensor rewards, int timestep, int k, int num_states, "
      "int "
      "num_actions, float gamma=1.) -> (Tensor q)",
      [](const Tensor& states, const Tensor& actions, const Tensor& rewards, int64_t timestep, int64_t k,
         int64_t num_states, int64_t num_actions, double gamma) {
        return sqirl_q_tabular(states, actions, rewards, {timestep, k, num_states, num_actions, gamma});
      },
      "The Q-table of one round of tabular SQIRL.", {"08"});
}

}  // namespace plaudit
