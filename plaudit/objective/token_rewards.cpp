#include "plaudit/objective/token_rewards.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/kl_estimator.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

// Rows [B] that go with token tensors [B,T]: not empty, one per row, finite.
void check_row_values(const Check& check, std::string_view name, const Tensor& rows,
                      std::string_view like_name, const Tensor& like) {
  check.dim(name, rows, 1);
  check.same_size(like_name, like, 0, name, rows, 0);
  check.finite(name, rows);
}

KlShaped shape(const Tensor& scores, const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
               double coefficient, const std::string& estimator) {
  const auto log_ratio = keep_valid(as_real(logps) - as_real(ref_logps), mask);
  const auto kl = kl_terms(log_ratio, estimator, max_log_ratio);
  const auto penalty = -coefficient * kl;
  const auto rewards = penalty + keep_valid(scores.unsqueeze(1).to(kl.scalar_type()), is_last_valid(mask));
  return {rewards, kl, penalty.sum(1)};
}

}  // namespace

KlShaped kl_shaped(const Tensor& scores, const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
                   const KlShapedOptions& options) {
  const Check check("reward.kl_shaped");
  check.not_empty("scores", scores);
  check_tokens(check, {{"logps", logps}, {"ref_logps", ref_logps}}, mask, ValidRows::every);
  check_row_values(check, "scores", scores, "logps", logps);
  check.that(options.kl_coef >= 0, "kl_coef", ">= 0", options.kl_coef);
  check.choice("estimator", options.estimator, kl_estimators());
  auto s = as_real(scores);
  if (options.clip_score) {
    check.that(*options.clip_score > 0, "clip_score", "> 0 or none", *options.clip_score);
    s = s.clamp(-*options.clip_score, *options.clip_score);
  }
  return shape(s, logps, ref_logps, mask, options.kl_coef, options.estimator);
}

RlvrRewards rlvr_token_rewards(const Tensor& correct, const Tensor& has_eos, const Tensor& logps,
                               const Tensor& ref_logps, const Tensor& mask, const RlvrOptions& options) {
  const Check check("policy_gradient.rlvr_token_rewards");
  check.not_empty("correct", correct);
  check_tokens(check, {{"logps", logps}, {"ref_logps", ref_logps}}, mask, ValidRows::every);
  check_row_values(check, "correct", correct, "logps", logps);
  check_row_values(check, "has_eos", has_eos, "logps", logps);
  check.range("correct", correct, 0, 1);
  check.that(options.beta >= 0, "beta", ">= 0", options.beta);
  check.choice("kl_estimator", options.kl_estimator, kl_estimators());
  auto scores = options.reward * as_real(correct);
  if (options.eos_penalty) scores = at::where(valid(has_eos), scores, *options.eos_penalty);
  return {shape(scores, logps, ref_logps, mask, options.beta, options.kl_estimator).rewards, scores};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "kl_shaped(Tensor scores, Tensor logps, Tensor ref_logps, Tensor mask, float kl_coef=0.1, str "
      "estimator='k1', float? clip_score=10.) -> (Tensor rewards, Tensor kl, Tensor non_score)",
      [](const Tensor& scores, const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
         double kl_coef, std::string estimator, std::optional<double> clip_score) {
        return as_tuple(
            kl_shaped(scores, logps, ref_logps, mask, {kl_coef, std::move(estimator), clip_score}));
      },
      "Token rewards: a KL penalty on every token and the score on the last.", {"30", "15", "40"});
}

PLAUDIT_FUNCTIONS(policy_gradient, m) {
  m.def(
      "rlvr_token_rewards(Tensor correct, Tensor has_eos, Tensor logps, Tensor ref_logps, Tensor mask, "
      "float reward=10., float? eos_penalty=-10., float beta=0.05, str kl_estimator='k1') -> (Tensor "
      "rewards, Tensor scores)",
      [](const Tensor& correct, const Tensor& has_eos, const Tensor& logps, const Tensor& ref_logps,
         const Tensor& mask, double reward, std::optional<double> eos_penalty, double beta,
         std::string estimator) {
        return as_tuple(rlvr_token_rewards(correct, has_eos, logps, ref_logps, mask,
                                           {reward, eos_penalty, beta, std::move(estimator)}));
      },
      "Token rewards of answers that a program verified.", {"15"});
}

}  // namespace plaudit
