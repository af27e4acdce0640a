#include "plaudit/reward/normalize.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_scalar(const Check& check, std::string_view name, const Tensor& t) {
  check.dim(name, t, 0);
  check.finite(name, t);
}

void check_not_negative(const Check& check, std::string_view name, const Tensor& t) {
  if (readable(t)) check.that(t.item<double>() >= 0, name, ">= 0", t.item<double>());
}

}  // namespace

RunningMoments running_moments(const Tensor& batch, const Tensor& mean, const Tensor& var,
                               const Tensor& count) {
  const Check check("reward.running_moments");
  check.not_empty("batch", batch);
  check.dim("batch", batch, 1);
  check.finite("batch", batch);
  check_scalar(check, "mean", mean);
  check_scalar(check, "var", var);
  check_scalar(check, "count", count);
  check_not_negative(check, "var", var);
  check_not_negative(check, "count", count);

  const auto x = as_real(batch);
  const auto n = static_cast<double>(batch.size(0));
  const auto old_count = count.to(x.options());
  const auto total = old_count + n;
  const auto delta = x.mean() - mean;
  const auto new_mean = mean + delta * (n / total);
  const auto squares =
      x.var(0, /*unbiased=*/false) * n + var * old_count + delta.square() * (old_count * n / total);
  const auto spread = squares / (total - 1).clamp_min(1);
  return {new_mean.to(x.scalar_type()), squares / total, at::sqrt(spread), total.to(at::kLong)};
}

Tensor normalize_rewards(const Tensor& rewards, const Tensor& mean, const Tensor& std,
                         const NormalizeOptions& options) {
  const Check check("reward.normalize");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 1);
  check.no_nan("rewards", rewards);
  check_scalar(check, "mean", mean);
  check_scalar(check, "std", std);
  check_not_negative(check, "std", std);
  check.that(options.clip >= 0, "clip", ">= 0", options.clip);
  check.that(options.eps >= 0, "eps", ">= 0", options.eps);
  const auto r = as_real(rewards);
  const auto scaled = (options.shift ? r - mean : r) / (std + options.eps);
  return options.clip > 0 ? scaled.clamp(-options.clip, options.clip) : scaled;
}

Tensor standardize_rewards(const Tensor& rewards, double eps) {
  const Check check("reward.standardize");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 1);
  check.finite("rewards", rewards);
  check.that(eps > 0, "eps", "> 0", eps);
  const auto r = as_real(rewards);
  return (r - r.mean()) / (r.std(/*unbiased=*/false) + eps);
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("standardize(Tensor rewards, float eps=1e-08) -> (Tensor rewards)", &standardize_rewards,
        "Zero mean and unit population deviation.", {"06"});
  m.def(
      "running_moments(Tensor batch, Tensor mean, Tensor var, Tensor count) -> (Tensor mean, Tensor var, "
      "Tensor std, Tensor count)",
      [](const Tensor& batch, const Tensor& mean, const Tensor& var, const Tensor& count) {
        return as_tuple(running_moments(batch, mean, var, count));
      },
      "Merges a batch into a running mean and variance.", {"17", "44", "51"});
  m.def(
      "normalize(Tensor rewards, Tensor mean, Tensor std, float clip=0., bool shift=True, float "
      "eps=1e-08) -> (Tensor rewards)",
      [](const Tensor& rewards, const Tensor& mean, const Tensor& std, double clip, bool shift, double eps) {
        return normalize_rewards(rewards, mean, std, {clip, shift, eps});
      },
      "Rewards in units of a running deviation, shifted and clipped on request.", {"17", "44", "51"});
}

}  // namespace plaudit
