#include "plaudit/data/replay.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/checks.h"

namespace plaudit {
namespace {

void put(const at::Tensor& column, int64_t row, const float* values) {
  const int64_t width = column.size(1);
  std::copy_n(values, width, column.data_ptr<float>() + row * width);
}

}  // namespace

ReplayBuffer::ReplayBuffer(int64_t capacity, int64_t observations, int64_t actions) {
  const Check check("data.replay");
  check.that(capacity >= 1, "capacity", ">= 1", capacity);
  check.that(observations >= 1, "observations", ">= 1", observations);
  check.that(actions >= 1, "actions", ">= 1", actions);
  const auto column = [&](int64_t width) { return at::zeros({capacity, width}, at::kFloat); };
  columns_ = {column(observations), column(actions),
              column(actions),      at::zeros({capacity}, at::kFloat),
              column(observations), at::zeros({capacity}, at::kFloat)};
}

void ReplayBuffer::add(const float* observation, const float* previous_action, const float* action,
                       float reward, const float* next_observation, bool terminal) {
  put(columns_.observations, next_, observation);
  put(columns_.previous_actions, next_, previous_action);
  put(columns_.actions, next_, action);
  put(columns_.next_observations, next_, next_observation);
  columns_.rewards.data_ptr<float>()[next_] = reward;
  columns_.terminals.data_ptr<float>()[next_] = terminal ? 1.0F : 0.0F;
  next_ = (next_ + 1) % capacity();
  size_ = std::min(size_ + 1, capacity());
}

ReplayBatch ReplayBuffer::sample(int64_t batch, Rng& rng) const {
  const Check check("data.replay");
  check.that(batch >= 1, "batch", ">= 1", batch);
  if (size_ == 0) check.refuse(ErrorKind::empty, "buffer", "holds no transition");
  const auto rows = at::empty({batch}, at::kLong);
  for (int64_t i = 0; i < batch; ++i) rows.data_ptr<int64_t>()[i] = rng.below(size_);
  const auto pick = [&](const at::Tensor& column) { return column.index_select(0, rows); };
  return {pick(columns_.observations), pick(columns_.previous_actions),  pick(columns_.actions),
          pick(columns_.rewards),      pick(columns_.next_observations), pick(columns_.terminals)};
}

std::map<std::string, at::Tensor> ReplayBuffer::columns() const {
  return {{"observations", columns_.observations},
          {"previous_actions", columns_.previous_actions},
          {"actions", columns_.actions},
          {"rewards", columns_.rewards},
          {"next_observations", columns_.next_observations},
          {"terminals", columns_.terminals}};
}

void ReplayBuffer::restore(int64_t size, int64_t next) {
  size_ = size;
  next_ = next;
}

}  // namespace plaudit
