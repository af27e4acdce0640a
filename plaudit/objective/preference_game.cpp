#include "plaudit/objective/preference_game.h"

#include <ATen/ATen.h>

#include "plaudit/core/mixed_types.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

double tolerance_of(const Tensor& t) {
  return t.is_floating_point() && t.scalar_type() != at::kDouble ? 1e-6 : 1e-9;
}

void check_square(const Check& check, const Tensor& preference) {
  check.not_empty("preference", preference);
  check.dim("preference", preference, 2);
  check.same_size("preference", preference, 0, "preference", preference, 1);
}

void check_complementary(const Check& check, const Tensor& preference) {
  check.range("preference", preference, 0, 1);
  if (!readable(preference)) return;
  const auto p = as_real(preference.detach());
  const auto excess = (p + p.t() - 1).abs().max().item<double>();
  check.that(excess <= tolerance_of(preference), "preference", "complementary, P + P^T = 1",
             fmt::format("a sum that is {} off", excess));
}

// Rows along the last dimension are probabilities.
void check_law(const Check& check, std::string_view name, const Tensor& law) {
  if (!readable(law)) return;
  const auto least = law.min().item<double>();
  check.that(least >= 0, name, "made of probabilities >= 0", least);
  const auto excess = (as_real(law.detach()).sum(-1) - 1).abs().max().item<double>();
  check.that(excess <= tolerance_of(law), name, "a law that sums to 1",
             fmt::format("a sum that is {} off", excess));
}

}  // namespace

SrpoTabular srpo_tabular(const Tensor& preference, const Tensor& ref_logps, const Tensor& ref_imp_logps,
                         double beta) {
  const Check check("preference.srpo_tabular");
  check.not_empty("ref_logps", ref_logps);
  check.not_empty("ref_imp_logps", ref_imp_logps);
  check_square(check, preference);
  check.shape("ref_logps", ref_logps, {preference.size(0)});
  check.same_shape("preference", preference, "ref_imp_logps", ref_imp_logps);
  check.finite("preference", preference);
  check.finite("ref_logps", ref_logps);
  check.finite("ref_imp_logps", ref_imp_logps);
  check_complementary(check, preference);
  check.that(beta > 0, "beta", "> 0", beta);
  // Row y1, column y2 of the exponent is P[y2,y1]/beta.
  const auto scores = as_real(ref_imp_logps) + as_real(preference).t() / beta;
  const auto log_partition = scores.logsumexp(1);
  return {scores - log_partition.unsqueeze(1), at::log_softmax(as_real(ref_logps) - log_partition, 0),
          log_partition};
}

Tensor ipo_tabular(const Tensor& preference, const Tensor& behavior, const Tensor& ref_logps, double tau) {
  const Check check("preference.ipo_tabular");
  check.not_empty("behavior", behavior);
  check.not_empty("ref_logps", ref_logps);
  check_square(check, preference);
  check.shape("behavior", behavior, {preference.size(0)});
  check.shape("ref_logps", ref_logps, {preference.size(0)});
  check.finite("preference", preference);
  check.finite("behavior", behavior);
  check.finite("ref_logps", ref_logps);
  check_complementary(check, preference);
  check_law(check, "behavior", behavior);
  check.that(tau > 0, "tau", "> 0", tau);
  const auto p = as_real(preference);
  return at::log_softmax(as_real(ref_logps) + p.matmul(behavior.to(p.scalar_type())) / tau, 0);
}

Tensor revision_distribution(const Tensor& initial, const Tensor& improve, int64_t steps) {
  const Check check("decode.revision_distribution");
  check.not_empty("initial", initial);
  check.not_empty("improve", improve);
  check.dim("initial", initial, 1);
  check.shape("improve", improve, {initial.size(0), initial.size(0)});
  check.finite("initial", initial);
  check.finite("improve", improve);
  check_law(check, "initial", initial);
  check_law(check, "improve", improve);
  check.that(steps >= 0, "steps", ">= 0", steps);
  const auto type = common_real_type({initial, improve});
  std::vector<Tensor> laws = {initial.to(type)};
  const auto kernel = improve.to(type);
  for (int64_t k = 0; k < steps; ++k) laws.push_back(laws.back().matmul(kernel));
  return at::stack(laws);
}

Tensor expected_win_rate(const Tensor& policy, const Tensor& opponent, const Tensor& preference) {
  const Check check("eval.expected_win_rate");
  check.not_empty("policy", policy);
  check.not_empty("opponent", opponent);
  check_square(check, preference);
  check.shape("policy", policy, {preference.size(0)});
  check.shape("opponent", opponent, {preference.size(0)});
  check.finite("policy", policy);
  check.finite("opponent", opponent);
  check.finite("preference", preference);
  check_law(check, "policy", policy);
  check_law(check, "opponent", opponent);
  check_complementary(check, preference);
  const auto type = common_real_type({policy, opponent, preference});
  return policy.to(type).dot(preference.to(type).matmul(opponent.to(type)));
}

NashGap nash_gap(const Tensor& preference, const Tensor& policy) {
  const Check check("eval.nash_gap");
  check.not_empty("policy", policy);
  check_square(check, preference);
  check.shape("policy", policy, {preference.size(0)});
  check.finite("preference", preference);
  check.finite("policy", policy);
  check_complementary(check, preference);
  check_law(check, "policy", policy);
  // (P - 1/2) pi: exact zeros where the answers are symmetric, so that ties are ties.
  const auto type = common_real_type({preference, policy});
  const auto advantage = (preference.to(type) - 0.5).matmul(policy.to(type));
  return {advantage.max(), advantage.argmax()};
}

Tensor win_rate_rewards(const Tensor& preference, bool include_self) {
  const Check check("preference.win_rate_rewards");
  check.not_empty("preference", preference);
  check.dim("preference", preference, 3);
  check.same_size("preference", preference, 1, "preference", preference, 2);
  const int64_t k = preference.size(1);
  if (k < 2) check.refuse(ErrorKind::empty, "preference", "compares no two answers: needs at least 2, got 1");
  const auto diagonal = at::eye(k, preference.options().dtype(at::kBool));
  const auto judged = at::where(diagonal, at::zeros({}, preference.options()), preference);
  check.finite("preference", judged);
  check.range("preference", judged, 0, 1);
  const auto wins = as_real(judged).sum(2);
  const auto count = static_cast<double>(k);
  return include_self ? (wins + 0.5) / count : wins / (count - 1);
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "srpo_tabular(Tensor preference, Tensor ref_logps, Tensor ref_imp_logps, float beta=0.1) -> (Tensor "
      "imp_logps, Tensor logps, Tensor log_partition)",
      [](const Tensor& preference, const Tensor& ref, const Tensor& ref_imp, double beta) {
        return as_tuple(srpo_tabular(preference, ref, ref_imp, beta));
      },
      "Exact generator and reviser of SRPO for a finite answer set.", {"19"});
  m.def("ipo_tabular(Tensor preference, Tensor behavior, Tensor ref_logps, float tau=0.1) -> (Tensor logps)",
        &ipo_tabular, "Exact optimum of IPO for a finite answer set.", {"19"});
  m.def("win_rate_rewards(Tensor preference, bool include_self=False) -> (Tensor rewards)", &win_rate_rewards,
        "Share of the other answers that each answer beats.", {"56"});
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("revision_distribution(Tensor initial, Tensor improve, int steps=1) -> (Tensor distributions)",
        &revision_distribution, "Law of an answer after each of a number of revisions.", {"19"});
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("expected_win_rate(Tensor policy, Tensor opponent, Tensor preference) -> (Tensor win_rate)",
        &expected_win_rate, "Probability that one policy's answer is preferred to another's.", {"19", "56"});
  m.def("nash_gap(Tensor preference, Tensor policy) -> (Tensor gap, Tensor best_response)",
        [](const Tensor& preference, const Tensor& policy) { return as_tuple(nash_gap(preference, policy)); },
        "How far a policy is from one that nothing beats.", {"56"});
}

}  // namespace plaudit
