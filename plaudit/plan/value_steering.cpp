#include "plaudit/plan/value_steering.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

// The k largest logits, ties by lower id: a heap whose top is the least of them.
std::vector<std::pair<float, int64_t>> largest(const float* logits, int64_t n, int64_t k) {
  const auto better = [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  };
  std::vector<std::pair<float, int64_t>> heap;
  heap.reserve(static_cast<size_t>(k));
  for (int64_t i = 0; i < std::min(n, k); ++i) heap.emplace_back(logits[i], i);
  std::make_heap(heap.begin(), heap.end(), better);
  float least = heap.front().first;
  for (int64_t i = k; i < n; ++i) {
    if (!(logits[i] > least)) continue;
    std::pop_heap(heap.begin(), heap.end(), better);
    heap.back() = {logits[i], i};
    std::push_heap(heap.begin(), heap.end(), better);
    least = heap.front().first;
  }
  return heap;
}

}  // namespace

ValueSteering::ValueSteering(const ValueModel& values, const LanguageModel& policy, std::vector<double> beta,
                             int64_t candidates)
    : candidates_(candidates), width_(values.width()) {
  const at::NoGradGuard no_grad;
  const Check check("value steering");
  values.check_policy(policy);
  if (values.positions() != "all")
    check.refuse(ErrorKind::value, "values",
                 "were learnt with positions: " + values.positions() +
                     ", of no token but the first; learn them with positions: all");
  if (beta.size() != values.objectives().size())
    check.refuse(ErrorKind::value, "beta",
                 fmt::format("must hold one number per objective of the values, {}, got {}",
                             values.objectives().size(), beta.size()));
  for (const auto b : beta) check.that(std::isfinite(b), "beta", "finite", b);
  const auto vocab = policy.transformer->config().vocab;
  check.that(candidates >= 1 && candidates <= vocab, "candidates", fmt::format("in [1, {}]", vocab),
             candidates);
  beta_.assign(beta.begin(), beta.end());
  tokens_ = values.of_tokens(policy.transformer->head_weight().detach().cpu()).contiguous();
  for (const auto& [name, tensor] : values.parameters()) {
    if (name == "value.state") state_ = tensor.detach().contiguous();
    if (name == "value.out") out_ = tensor.detach().contiguous();
  }
}

void ValueSteering::steer(const float* hidden, int64_t width, float* logits, int64_t vocab) const {
  const auto chosen = largest(logits, vocab, candidates_);
  // U h/rms(h), once for all candidates.
  float squares = 0;
  for (int64_t j = 0; j < width; ++j) squares += hidden[j] * hidden[j];
  const float scale = 1 / std::sqrt(squares / static_cast<float>(width) + 1e-6F);
  std::vector<float> state(static_cast<size_t>(width_));
  const float* weights = state_.const_data_ptr<float>();
  for (int64_t i = 0; i < width_; ++i) {
    float sum = 0;
    for (int64_t j = 0; j < width; ++j) sum += weights[i * width + j] * hidden[j];
    state[static_cast<size_t>(i)] = sum * scale;
  }
  // beta . out, which turns the objectives into one value; what is the same for all candidates cancels.
  std::vector<float> mixed(static_cast<size_t>(width_), 0.0F);
  const float* out = out_.const_data_ptr<float>();
  for (size_t r = 0; r < beta_.size(); ++r)
    for (int64_t i = 0; i < width_; ++i)
      mixed[static_cast<size_t>(i)] += beta_[r] * out[static_cast<int64_t>(r) * width_ + i];
  std::vector<float> values(chosen.size());
  float mean = 0;
  for (size_t c = 0; c < chosen.size(); ++c) {
    const float* token = tokens_.const_data_ptr<float>() + chosen[c].second * width_;
    float value = 0;
    for (int64_t i = 0; i < width_; ++i)
      value += mixed[static_cast<size_t>(i)] * std::max(0.0F, state[static_cast<size_t>(i)] + token[i]);
    values[c] = value;
    mean += value / static_cast<float>(chosen.size());
  }
  for (size_t c = 0; c < chosen.size(); ++c) logits[chosen[c].second] += values[c] - mean;
}

}  // namespace plaudit
