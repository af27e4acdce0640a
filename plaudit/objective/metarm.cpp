#include "plaudit/objective/metarm.h"

#include <ATen/ATen.h>

#include "plaudit/core/mixed_types.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {
namespace {

// r_i - r_j for the pairs i < j of the last dimension: [..., k(k-1)/2].
Tensor pair_differences(const Tensor& rewards) {
  const int64_t k = rewards.size(-1);
  const auto index = at::triu_indices(k, k, 1, rewards.options().dtype(at::kLong));
  return rewards.index_select(-1, index[0]) - rewards.index_select(-1, index[1]);
}

}  // namespace

ScoreSpread score_spread(const Tensor& rewards) {
  const Check check("reward.score_spread");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 2);
  check.finite("rewards", rewards);
  const auto k = static_cast<double>(rewards.size(1));
  check.that(k >= 2, "rewards", "scores of at least 2 answers per prompt", k);
  const auto per_prompt = at::sigmoid(pair_differences(as_real(rewards)).abs()).sum(-1) * (2 / (k * k));
  return {per_prompt.mean(), per_prompt};
}

MetarmStep metarm_linear_step(const Tensor& weight, const Tensor& chosen, const Tensor& rejected,
                              const Tensor& meta, const MetarmOptions& options) {
  const Check check("bilevel.metarm_linear_step");
  check.not_empty("weight", weight);
  check.not_empty("meta", meta);
  check.alike({{"chosen", chosen}, {"rejected", rejected}}, 2);
  check.dim("weight", weight, 1);
  check.dim("meta", meta, 3);
  check.same_size("weight", weight, 0, "chosen", chosen, 1);
  check.same_size("weight", weight, 0, "meta", meta, 2);
  check.finite("weight", weight);
  check.finite("meta", meta);
  check.that(meta.size(1) >= 2, "meta", "at least 2 samples per prompt", meta.size(1));
  check.that(options.eta >= 0, "eta", ">= 0", options.eta);
  check.that(options.alpha >= 0, "alpha", ">= 0", options.alpha);

  // J and its gradient: d/dw sigma(|w.(s_i - s_j)|) = sigma'(d) sign(d) (s_i - s_j).
  const auto type = common_real_type({weight, chosen, rejected, meta});
  const auto w = weight.to(type), samples = meta.to(type);
  const auto k = static_cast<double>(meta.size(1));
  const auto features = pair_differences(samples.transpose(1, 2)).transpose(1, 2);  // [M, pairs, D]
  const auto d = features.matmul(w);
  const auto s = at::sigmoid(d.abs());
  const double scale = 2 / (k * k);
  const auto slope = s * (1 - s) * d.sgn() * scale;  // [M, pairs]
  const auto spread = (s * scale).sum(1).mean();
  const auto ascent = features.mul(slope.unsqueeze(-1)).sum(1).mean(0);

  // The Bradley-Terry loss at the adapted weight: its gradient is -mean sigma(-d) (c - r).
  const auto adapted = w + options.eta * ascent;
  const auto difference = chosen.to(type) - rejected.to(type);  // [B, D]
  const auto margin = difference.matmul(adapted);
  const auto gradient = -(at::sigmoid(-margin).unsqueeze(1) * difference).mean(0);
  return {spread, adapted, logistic_link(margin).mean(), gradient, w - options.alpha * gradient};
}

PLAUDIT_FUNCTIONS(bilevel, m) {
  m.def(
      "metarm_linear_step(Tensor weight, Tensor chosen, Tensor rejected, Tensor meta, float eta=0.01, "
      "float alpha=0.001) -> (Tensor spread, Tensor adapted, Tensor loss, Tensor gradient, Tensor "
      "updated)",
      [](const Tensor& weight, const Tensor& chosen, const Tensor& rejected, const Tensor& meta, double eta,
         double alpha) {
        return as_tuple(metarm_linear_step(weight, chosen, rejected, meta, {eta, alpha}));
      },
      "One MetaRM step of a linear reward model: ascend the spread, descend the loss from there.", {"17"});
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("score_spread(Tensor rewards) -> (Tensor value, Tensor per_prompt)",
        [](const Tensor& rewards) { return as_tuple(score_spread(rewards)); },
        "How far apart the answers to one prompt score.", {"17"});
}

}  // namespace plaudit
