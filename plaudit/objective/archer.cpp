#include "plaudit/objective/archer.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

Tensor mean_square(const Tensor& value, const Tensor& target) {
  return (as_real(value) - target).square().mean();
}

}  // namespace

Tensor utterance_advantage(const Tensor& q1, const Tensor& q2, const Tensor& v1, const Tensor& v2) {
  const Check check("advantage.utterance_advantage");
  check_arguments(check, {{"q1", q1, "B"}, {"q2", q2, "B"}, {"v1", v1, "B"}, {"v2", v2, "B"}});
  return at::minimum(as_real(q1), as_real(q2)) - at::minimum(as_real(v1), as_real(v2));
}

ArcherCriticLoss archer_critic_loss(const ArcherTurns& t, double gamma) {
  const Check check("offline.archer_critic_loss");
  check_arguments(check, {{"q1", t.q1, "B"},
                          {"q2", t.q2, "B"},
                          {"v1", t.v1, "B"},
                          {"v2", t.v2, "B"},
                          {"rewards", t.rewards, "B"},
                          {"terminals", t.terminals, "B"},
                          {"next_v1", t.next_v1, "B"},
                          {"next_v2", t.next_v2, "B"},
                          {"policy_q1", t.policy_q1, "B"},
                          {"policy_q2", t.policy_q2, "B"}});
  check_discount(check, gamma);
  const auto target = [&](const Tensor& next) {
    return (as_real(t.rewards) + gamma * (1 - as_real(t.terminals)) * as_real(next)).detach();
  };
  const auto first = target(t.next_v1), second = target(t.next_v2);
  const auto q_loss = mean_square(t.q1, first) + mean_square(t.q2, second);
  const auto v_loss =
      mean_square(t.v1, as_real(t.policy_q1).detach()) + mean_square(t.v2, as_real(t.policy_q2).detach());
  return {q_loss + v_loss, first, second, q_loss, v_loss};
}

ArcherActorLoss archer_actor_loss(const Tensor& logps, const Tensor& mask, const Tensor& advantages,
                                  const std::optional<Tensor>& baseline) {
  const Check check("policy_gradient.archer_actor_loss");
  if (baseline) {
    check_tokens(check, {{"logps", logps}, {"baseline", *baseline}}, mask, ValidRows::every);
  } else {
    check_tokens(check, {{"logps", logps}}, mask, ValidRows::every);
  }
  check.not_empty("advantages", advantages);
  check.dim("advantages", advantages, 1);
  check.same_size("logps", logps, 0, "advantages", advantages, 0);
  check.finite("advantages", advantages);
  const auto logp = keep_valid(as_real(logps), mask);
  const auto advantage = as_real(advantages).detach().unsqueeze(1);
  const auto weight = baseline ? advantage - keep_valid(as_real(*baseline), mask) : advantage;
  const auto loss = -(weight.detach() * logp).sum(1).mean();
  return {loss, baseline ? masked_mean(weight.square(), mask) : at::zeros_like(loss.detach())};
}

PLAUDIT_FUNCTIONS(advantage, m) {
  m.def("utterance_advantage(Tensor q1, Tensor q2, Tensor v1, Tensor v2) -> (Tensor advantages)",
        &utterance_advantage, "The advantage of an utterance under twin critics.", {"21"});
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def(
      "archer_critic_loss(Tensor q1, Tensor q2, Tensor v1, Tensor v2, Tensor rewards, Tensor terminals, "
      "Tensor "
      "next_v1, Tensor next_v2, Tensor policy_q1, Tensor policy_q2, float gamma=0.95) -> (Tensor loss, "
      "Tensor "
      "q_targets1, Tensor q_targets2, Tensor q_loss, Tensor v_loss)",
      [](const Tensor& q1, const Tensor& q2, const Tensor& v1, const Tensor& v2, const Tensor& rewards,
         const Tensor& terminals, const Tensor& next_v1, const Tensor& next_v2, const Tensor& policy_q1,
         const Tensor& policy_q2, double gamma) {
        return as_tuple(archer_critic_loss(
            {q1, q2, v1, v2, rewards, terminals, next_v1, next_v2, policy_q1, policy_q2}, gamma));
      },
      "The loss of an utterance-level critic.", {"21"});
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "archer_actor_loss(Tensor logps, Tensor mask, Tensor advantages, Tensor? baseline=None) -> (Tensor "
      "loss, "
      "Tensor baseline_loss)",
      [](const Tensor& logps, const Tensor& mask, const Tensor& advantages,
         const std::optional<Tensor>& baseline) {
        return as_tuple(archer_actor_loss(logps, mask, advantages, baseline));
      },
      "The token policy gradient of an utterance's advantage.", {"21"});
}

}  // namespace plaudit
