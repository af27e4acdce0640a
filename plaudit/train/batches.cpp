#include "plaudit/train/batches.h"

#include <algorithm>

namespace plaudit {
namespace {

// Longest first; equal lengths by index, so that the result is one and the same for any input order.
void sort_by_length(std::vector<int64_t>& examples, const TokenCount& tokens) {
  std::sort(examples.begin(), examples.end(), [&](int64_t a, int64_t b) {
    const auto la = tokens(a), lb = tokens(b);
    return la != lb ? la > lb : a < b;
  });
}

}  // namespace

BatchPlan::BatchPlan(int64_t examples, const TrainOptions& options, const Rng& rng)
    : examples_(examples),
      batch_(std::min(options.batch, examples)),
      steps_per_epoch_((examples + batch_ - 1) / batch_),
      steps_(options.max_steps > 0 ? options.max_steps : options.epochs * steps_per_epoch_),
      rng_(rng.child("order")) {}

std::vector<int64_t> BatchPlan::batch(int64_t step) {
  const int64_t epoch = step / steps_per_epoch_;
  if (epoch != epoch_) {
    order_ = rng_.child(epoch).permutation(examples_);
    epoch_ = epoch;
  }
  const int64_t begin = step % steps_per_epoch_ * batch_;
  return {order_.begin() + begin, order_.begin() + std::min(begin + batch_, examples_)};
}

double BatchPlan::epochs_after(int64_t steps) const {
  const int64_t whole = steps / steps_per_epoch_, rest = steps % steps_per_epoch_;
  return static_cast<double>(whole) + static_cast<double>(rest * batch_) / static_cast<double>(examples_);
}

std::vector<int64_t> share_of_rank(std::vector<int64_t> batch, const TokenCount& tokens, int64_t rank,
                                   int64_t world) {
  sort_by_length(batch, tokens);
  std::vector<int64_t> out;
  for (size_t i = 0; i < batch.size(); ++i) {
    const auto place = static_cast<int64_t>(i) % (2 * world);
    const auto owner = place < world ? place : 2 * world - 1 - place;
    if (owner == rank) out.push_back(batch[i]);
  }
  return out;
}

std::vector<std::vector<int64_t>> micro_batches(std::vector<int64_t> examples, const TokenCount& tokens,
                                                int64_t budget) {
  sort_by_length(examples, tokens);
  std::vector<std::vector<int64_t>> out;
  int64_t used = 0;
  for (const auto example : examples) {
    const auto cost = tokens(example);
    if (out.empty() || used + cost > budget) {
      out.emplace_back();
      used = 0;
    }
    out.back().push_back(example);
    used += cost;
  }
  return out;
}

}  // namespace plaudit
