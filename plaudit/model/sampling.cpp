#include "plaudit/model/sampling.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/model/decode_kernels.h"

namespace plaudit {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void check_logits(const Check& check, const Tensor& logits) {
  check.not_empty("logits", logits);
  if (logits.dim() < 1)
    check.refuse(ErrorKind::shape, "logits", "must have a vocabulary dimension, got a number");
  check.no_nan("logits", logits);
  if (!readable(logits) || !logits.is_floating_point()) return;
  if (at::isposinf(logits).any().item<bool>()) check.refuse(ErrorKind::nan, "logits", "holds infinity");
  if (at::isneginf(logits).all(-1).any().item<bool>())
    check.refuse(ErrorKind::value, "logits", "must have a finite value in every row, got -inf alone");
}

// Softmax of the sorted logits where `kept`, 0 elsewhere.
Tensor renormalised(const Tensor& sorted, const Tensor& kept) {
  return at::softmax(sorted.masked_fill(kept.logical_not(), -std::numeric_limits<double>::infinity()), -1);
}

Tensor sampling_probs_op(const Tensor& logits, double temperature, std::optional<int64_t> top_k,
                         std::optional<double> top_p, std::optional<double> min_p) {
  return sampling_probs(logits, {.temperature = temperature,
                                 .top_k = top_k.value_or(0),
                                 .top_p = top_p.value_or(1),
                                 .min_p = min_p.value_or(0)});
}

}  // namespace

void check_filter(const SamplingFilter& filter, std::string_view where) {
  const Check check(where);
  check.that(filter.temperature >= 0 && std::isfinite(filter.temperature), "temperature", ">= 0",
             filter.temperature);
  check.that(filter.top_k >= 0, "top_k", ">= 0", filter.top_k);
  check.that(filter.top_p > 0 && filter.top_p <= 1, "top_p", "in (0, 1]", filter.top_p);
  check.that(filter.min_p >= 0 && filter.min_p <= 1, "min_p", "in [0, 1]", filter.min_p);
}

Tensor sampling_probs(const Tensor& logits, const SamplingFilter& filter) {
  const Check check("decode.sampling_probs");
  check_logits(check, logits);
  check.that(filter.temperature > 0, "temperature", "> 0", filter.temperature);
  check_filter(filter, "decode.sampling_probs");

  const auto scaled = as_real(logits) / filter.temperature;
  // A stable sort puts the lower id first among equals.
  const auto [sorted, order] = at::sort(scaled, /*stable=*/true, /*dim=*/-1, /*descending=*/true);
  const auto rank = at::arange(logits.size(-1), order.options()).expand_as(order);
  auto kept = filter.top_k > 0 ? rank < filter.top_k : rank >= 0;
  if (filter.top_p < 1) {
    const auto probs = renormalised(sorted, kept);
    kept = kept.logical_and(probs.cumsum(-1) - probs < filter.top_p);
  }
  if (filter.min_p > 0) {
    const auto probs = renormalised(sorted, kept);
    kept = kept.logical_and(probs >= filter.min_p * probs.narrow(-1, 0, 1));
  }
  return at::zeros_like(scaled).scatter(-1, order, renormalised(sorted, kept));
}

float token_logp(const float* logits, int64_t n, int64_t id) {
  const auto& vector = decode::kernels().vector;
  const float largest = vector.max(logits, n);
  return static_cast<float>(logits[id] - largest -
                            std::log(vector.exp_sum(logits, n, largest, 1, nullptr, nullptr)));
}

Draw TokenSampler::draw(const float* logits, int64_t n, const SamplingFilter& filter, Rng& rng) {
  const auto& vector = decode::kernels().vector;
  const float largest = vector.max(logits, n);
  if (!std::isfinite(largest))
    fail(ErrorKind::nan, "sampling",
         fmt::format("the model's logits hold NaN or nothing finite (largest {})", largest));
  const double log_sum = std::log(vector.exp_sum(logits, n, largest, 1, nullptr, nullptr));
  int64_t id = 0;
  if (filter.temperature == 0) {
    id = std::find(logits, logits + n, largest) - logits;
  } else if (filter.top_k == 0 && filter.top_p == 1 && filter.min_p == 0) {
    id = draw_unfiltered(logits, n, largest, static_cast<float>(1 / filter.temperature), rng.uniform());
  } else {
    id = draw_filtered(logits, n, largest, filter, rng.uniform());
  }
  return {id, static_cast<float>(logits[id] - largest - log_sum)};
}

int64_t TokenSampler::draw_unfiltered(const float* logits, int64_t n, float largest, float scale, double u) {
  weights_.resize(static_cast<size_t>(n));
  sums_.resize(static_cast<size_t>((n + decode::kExpBlock - 1) / decode::kExpBlock));
  double left =
      u * decode::kernels().vector.exp_sum(logits, n, largest, scale, weights_.data(), sums_.data());
  // First the block, then the token in it; rounding may leave a sliver at the end of either.
  size_t block = 0;
  while (block + 1 < sums_.size() && left >= sums_[block]) left -= sums_[block++];
  const auto begin = static_cast<int64_t>(block) * decode::kExpBlock;
  int64_t last = std::max_element(logits, logits + n) - logits;
  for (int64_t i = begin; i < std::min(n, begin + decode::kExpBlock); ++i) {
    if (weights_[static_cast<size_t>(i)] <= 0) continue;
    last = i;
    left -= weights_[static_cast<size_t>(i)];
    if (left < 0) break;
  }
  return last;
}

// All tokens whose scaled logit is within `depth` of the largest; returns the sum of their weights.
double TokenSampler::gather(const float* logits, int64_t n, float largest, double scale, double depth) {
  candidates_.clear();
  const auto bound = static_cast<float>(largest - depth / scale);
  double mass = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (logits[i] < bound || logits[i] == -kInfinity) continue;
    candidates_.push_back({logits[i], static_cast<float>(std::exp((logits[i] - largest) * scale)), i});
    mass += candidates_.back().weight;
  }
  return mass;
}

// Candidates that hold every token that the filter keeps, in falling order. Those are the first of the sorted
// vocabulary, so it looks among the likeliest, then further down. `total`: the weight that top-p is a share
// of.
void TokenSampler::find_candidates(const float* logits, int64_t n, float largest,
                                   const SamplingFilter& filter, double& total) {
  const double scale = 1 / filter.temperature;
  const bool ranked = filter.top_k > 0, by_mass = filter.top_p < 1;
  const auto k = static_cast<size_t>(ranked ? std::min(filter.top_k, n) : n);
  const double floor = filter.min_p > 0 && !(ranked && by_mass) ? 0.01 - std::log(filter.min_p) : kInfinity;
  if (by_mass && !ranked)
    total = decode::kernels().vector.exp_sum(logits, n, largest, static_cast<float>(scale), nullptr, nullptr);
  for (double depth = 4;; depth = depth > 100 ? kInfinity : depth * 2) {
    const double mass = gather(logits, n, largest, scale, depth);
    if (depth >= floor || depth == kInfinity) break;
    if (ranked ? candidates_.size() >= k : by_mass && mass >= filter.top_p * total) break;
  }
  const auto before = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  if (candidates_.size() > k) {
    std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<int64_t>(k), candidates_.end(),
                     before);
    candidates_.resize(k);
  }
  std::sort(candidates_.begin(), candidates_.end(), before);
  if (!ranked) return;
  total = 0;
  for (const auto& c : candidates_) total += c.weight;
}

int64_t TokenSampler::draw_filtered(const float* logits, int64_t n, float largest,
                                    const SamplingFilter& filter, double u) {
  double total = 0, mass = 0;
  find_candidates(logits, n, largest, filter, total);
  size_t kept = 0;
  while (kept < candidates_.size() && (filter.top_p == 1 || mass < filter.top_p * total) &&
         candidates_[kept].weight >= filter.min_p)
    mass += candidates_[kept++].weight;
  double left = u * mass;
  size_t i = 0;
  while (i + 1 < kept && left >= candidates_[i].weight) left -= candidates_[i++].weight;
  return candidates_[i].id;
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "sampling_probs(Tensor logits, *, float temperature=1.0, int? top_k=0, float? top_p=1.0, float? "
      "min_p=0.0) "
      "-> (Tensor probs)",
      &sampling_probs_op, "The distribution that sampling draws from: temperature, top-k, top-p, min-p.",
      {"90"});
}

}  // namespace plaudit
