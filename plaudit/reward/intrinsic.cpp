#include "plaudit/reward/intrinsic.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/call.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

Lookup retrieval_lookup(const std::vector<std::string>& messages, const std::map<std::string, double>& table,
                        double fallback) {
  std::vector<double> rewards;
  Lookup result;
  for (const auto& message : messages) {
    const auto found = table.find(message);
    rewards.push_back(found == table.end() ? fallback : found->second);
    if (found == table.end() &&
        std::find(result.unseen.begin(), result.unseen.end(), message) == result.unseen.end())
      result.unseen.push_back(message);
  }
  result.rewards = at::tensor(rewards, at::kDouble);
  return result;
}

ThresholdedClass classify_threshold(const Tensor& logits, double threshold) {
  const Check check("reward.classify_threshold");
  check.not_empty("logits", logits);
  check.shape("logits", logits, {-1, 2});
  check.finite("logits", logits);
  check.that(threshold >= 0 && threshold <= 1, "threshold", "in [0, 1]", threshold);
  const auto z = as_real(logits);
  const auto probability = at::sigmoid(z.select(1, 1) - z.select(1, 0));
  return {probability.gt(threshold).to(z.scalar_type()), probability};
}

Moments update_moments(const Moments& moments, const Tensor& batch, bool unbiased_batch_variance) {
  const Check check("reward.running_moments_update");
  check.not_empty("batch", batch);
  check.dim("batch", batch, 1);
  check.finite("batch", batch);
  check.that(std::isfinite(moments.mean), "mean", "finite", moments.mean);
  check.that(moments.var >= 0 && std::isfinite(moments.var), "var", ">= 0", moments.var);
  check.that(moments.count >= 0 && std::isfinite(moments.count), "count", ">= 0", moments.count);
  if (unbiased_batch_variance && batch.size(0) < 2)
    check.refuse(ErrorKind::value, "batch", "must hold at least 2 values for an unbiased variance, got 1");
  const auto values = batch.to(at::kDouble);
  const auto n = static_cast<double>(batch.size(0));
  const double batch_mean = values.mean().item<double>();
  const double batch_var = values.var(/*unbiased=*/unbiased_batch_variance).item<double>();
  const double total = moments.count + n, delta = batch_mean - moments.mean;
  const double spread =
      moments.var * moments.count + batch_var * n + delta * delta * moments.count * n / total;
  return {moments.mean + delta * n / total, spread / total, total};
}

Tensor normalize_threshold(const Tensor& rewards, double mean, double var, double threshold) {
  const Check check("reward.normalize_threshold");
  check.not_empty("rewards", rewards);
  check.finite("rewards", rewards);
  for (const auto& [name, value] : {std::pair{"mean", mean}, {"var", var}, {"threshold", threshold}}) {
    if (std::isnan(value)) check.refuse(ErrorKind::nan, name, "is NaN");
  }
  check.that(var > 0, "var", "> 0", var);
  const auto z = (as_real(rewards) - mean) / std::sqrt(var);
  return at::where(z > threshold, z, at::zeros_like(z));
}

Tensor count_scaled_sum(const Tensor& extrinsic, const Tensor& intrinsic, const Tensor& count,
                        const CountScale& scale) {
  const Check check("reward.count_scaled_sum");
  check.not_empty("extrinsic", extrinsic);
  check.same_shape("extrinsic", extrinsic, "intrinsic", intrinsic);
  check.same_shape("extrinsic", extrinsic, "count", count);
  check.finite("extrinsic", extrinsic);
  check.finite("intrinsic", intrinsic);
  check.finite("count", count);
  if (readable(count)) {
    const double least = count.min().item<double>();
    check.that(least >= 1, "count", ">= 1", least);
  }
  const auto e = as_real(extrinsic);
  const auto i = as_real(intrinsic).to(e.scalar_type()), n = as_real(count).to(e.scalar_type());
  return scale.extrinsic_coeff * e + scale.intrinsic_coeff * i / n.pow(scale.count_exponent);
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("retrieval_lookup(str[] messages, str table, float default=0.) -> (Tensor rewards, str[] unseen)",
        [](const std::vector<std::string>& messages, const std::string& table, double fallback) {
          const Check check("reward.retrieval_lookup");
          const auto json = Json::parse(table, nullptr, /*allow_exceptions=*/false);
          if (!json.is_object())
            check.refuse(ErrorKind::type, "table", "must be an object {message: reward}");
          std::map<std::string, double> rewards;
          for (const auto& [message, reward] : json.items()) {
            if (!reward.is_number())
              check.refuse(ErrorKind::type, "table",
                           "must hold numbers, got " + reward.dump() + " for '" + message + "'");
            rewards[message] = reward.get<double>();
          }
          return as_tuple(retrieval_lookup(messages, rewards, fallback));
        },
        "Annotated rewards of captions and those that nobody has annotated.", {"07"});
  m.def(
      "classify_threshold(Tensor logits, float threshold=0.5) -> (Tensor rewards, Tensor probability)",
      [](const Tensor& logits, double threshold) { return as_tuple(classify_threshold(logits, threshold)); },
      "1 where the second class is more probable than a threshold.", {"07"});
  m.def(
      "running_moments_update(float mean, float var, float count, Tensor batch, bool "
      "unbiased_batch_variance=True) -> (float mean, float var, float count)",
      [](double mean, double var, double count, const Tensor& batch, bool unbiased) {
        return as_tuple(update_moments({mean, var, count}, batch, unbiased));
      },
      "Mean and variance of all values so far, after one more batch.", {"07"});
  m.def("normalize_threshold(Tensor rewards, float mean, float var, float threshold) -> (Tensor rewards)",
        &normalize_threshold, "Standardised rewards above a threshold, else 0.", {"07"});
  m.def(
      "count_scaled_sum(Tensor extrinsic, Tensor intrinsic, Tensor count, float extrinsic_coeff, float "
      "intrinsic_coeff, float count_exponent=3.) -> (Tensor rewards)",
      [](const Tensor& extrinsic, const Tensor& intrinsic, const Tensor& count, double extrinsic_coeff,
         double intrinsic_coeff, double count_exponent) {
        return count_scaled_sum(extrinsic, intrinsic, count,
                                {extrinsic_coeff, intrinsic_coeff, count_exponent});
      },
      "Task reward plus an intrinsic reward that fades with repetition.", {"07"});
}

}  // namespace plaudit
