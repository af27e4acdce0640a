#include "plaudit/objective/tool_reward.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {
namespace {

void check_arguments(const Check& check, const Tensor& nll, const Tensor& segment, const Tensor& chosen,
                     const Tensor& rejected, const ToolLossOptions& options) {
  check.not_empty("token_nll", nll);
  check.not_empty("segment", segment);
  check.not_empty("chosen_rewards", chosen);
  check.not_empty("rejected_rewards", rejected);
  check.dim("token_nll", nll, 2);
  check.same_shape("token_nll", nll, "segment", segment);
  check.dim("chosen_rewards", chosen, 1);
  check.same_shape("chosen_rewards", chosen, "rejected_rewards", rejected);
  if (nll.sym_size(0) != 2 * chosen.sym_size(0))
    check.refuse(
        ErrorKind::shape, "token_nll",
        fmt::format("has shape {}: needs a row for each of 2 x {} rewards", shape_of(nll), shape_of(chosen)));
  if (options.segment_weights.size() != 3)
    check.refuse(ErrorKind::shape, "segment_weights",
                 fmt::format("must hold 3 numbers, got {}", options.segment_weights.size()));
  check.finite("segment", segment);
  check.finite_where("token_nll", nll, segment);
  check.finite("chosen_rewards", chosen);
  check.finite("rejected_rewards", rejected);
  check.index_range("segment", segment, 0, 5);
  check.choice("mode", options.mode, {"segments", "pooled"});
  check.that(options.ranking_weight >= 0, "ranking_weight", ">= 0", options.ranking_weight);
  for (const double weight : options.segment_weights)
    check.that(weight >= 0, "segment_weights", "made of numbers >= 0", weight);
}

}  // namespace

ToolRewardLoss tool_rm_loss(const Tensor& token_nll, const Tensor& segment, const Tensor& chosen_rewards,
                            const Tensor& rejected_rewards, const ToolLossOptions& options) {
  const Check check("reward.tool_rm_loss");
  check_arguments(check, token_nll, segment, chosen_rewards, rejected_rewards, options);
  const auto nll = keep_valid(as_real(token_nll), segment);
  const auto mean_of = [&](ToolSegment code) {
    return masked_mean(nll, segment.eq(static_cast<int64_t>(code)));
  };
  const auto tool = mean_of(ToolSegment::tool), observation = mean_of(ToolSegment::observation),
             rationale = mean_of(ToolSegment::rationale);
  const auto& weight = options.segment_weights;
  const auto lm = options.mode == "pooled"
                      ? masked_mean(nll, segment)
                      : weight[0] * tool + weight[1] * observation + weight[2] * rationale;
  const auto ranking = logistic_link(as_real(chosen_rewards) - as_real(rejected_rewards)).mean();
  return {lm + options.ranking_weight * ranking, lm, ranking, tool, observation, rationale};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "tool_rm_loss(Tensor token_nll, Tensor segment, Tensor chosen_rewards, Tensor rejected_rewards, str "
      "mode='segments', float ranking_weight=0.5, float[]? segment_weights=None) -> (Tensor loss, Tensor lm, "
      "Tensor ranking, Tensor tool, Tensor observation, Tensor rationale)",
      [](const Tensor& nll, const Tensor& segment, const Tensor& chosen, const Tensor& rejected,
         std::string mode, double ranking_weight, const std::optional<std::vector<double>>& weights) {
        return as_tuple(
            tool_rm_loss(nll, segment, chosen, rejected,
                         {std::move(mode), ranking_weight, weights.value_or(std::vector<double>{1, 1, 1})}));
      },
      "Loss of a reward model that reasons with tools before it scores.", {"31"});
}

}  // namespace plaudit
