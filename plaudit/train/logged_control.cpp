#include "plaudit/train/logged_control.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/core/hash.h"

namespace plaudit {

at::Tensor unit_actions(const at::Tensor& actions, const Box& box, const std::string& source,
                        bool refuse_outside) {
  const Check check(source);
  check.shape("actions", actions, {-1, box.size()});
  check.finite("actions", actions);
  const auto bound = [&](const std::vector<double>& v) { return at::tensor(v, at::kDouble); };
  const auto low = bound(box.low), high = bound(box.high);
  if (!(high - low).isfinite().all().item<bool>())
    check.refuse(ErrorKind::value, "actions", "belong to a box without bounds");
  const auto unit = 2 * (actions.to(at::kDouble) - low) / (high - low) - 1;
  if (!refuse_outside) return unit.to(at::kFloat);
  const auto outside = (unit.abs() > 1 + 1e-5).nonzero();
  if (outside.size(0) > 0) {
    const auto row = outside[0][0].item<int64_t>(), column = outside[0][1].item<int64_t>();
    check.refuse(ErrorKind::value, fmt::format("actions[{},{}]", row, column),
                 fmt::format("must lie in [{}, {}], got {}", box.low[static_cast<size_t>(column)],
                             box.high[static_cast<size_t>(column)], actions[row][column].item<double>()));
  }
  return unit.clamp(-1, 1).to(at::kFloat);
}

at::Tensor stretched_actions(const at::Tensor& unit, const Box& box) {
  const auto low = at::tensor(box.low, at::kDouble), high = at::tensor(box.high, at::kDouble);
  return (low + (unit.to(at::kDouble) + 1) / 2 * (high - low)).to(at::kFloat);
}

LoggedExperience::LoggedExperience(const TransitionTensors& data, const std::string& source,
                                   int64_t report_every)
    : report_every_(report_every) {
  const Check check(source);
  check.not_empty("rewards", data.rewards);
  const auto rows = data.rewards.size(0);
  uint64_t hash = 0;
  const auto column = [&](const char* name, const at::Tensor& t, at::IntArrayRef shape) {
    check.shape(name, t, shape);
    check.finite(name, t);
    const auto values = t.to(at::kFloat).contiguous();
    hash = hash64({static_cast<const char*>(values.const_data_ptr()), values.nbytes()}, hash);
    return values;
  };
  const auto wide = data.observations.dim() == 2 ? data.observations.size(1) : -1;
  data_ = {column("observations", data.observations, {rows, -1}), column("actions", data.actions, {rows, -1}),
           column("rewards", data.rewards, {rows}),
           column("next_observations", data.next_observations, {rows, wide}),
           column("terminals", data.terminals, {rows})};
  name_ = fmt::format("{} transitions of {}, {}", rows, source, hex64(hash));
}

bool LoggedExperience::advance(int64_t step, const ControlActor&) {
  step_ = step;
  return true;
}

ReplayBatch LoggedExperience::sample(int64_t batch, Rng& rng) const {
  const auto rows = at::empty({batch}, at::kLong);
  auto* row = rows.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < batch; ++i) row[i] = rng.below(size());
  const auto pick = [&](const at::Tensor& column) { return column.index_select(0, rows); };
  return {pick(data_.observations),      {},
          pick(data_.actions),           pick(data_.rewards),
          pick(data_.next_observations), pick(data_.terminals)};
}

}  // namespace plaudit
