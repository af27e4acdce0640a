#include "plaudit/data/control_segments.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

const Check segments_check("data.segments");

// How many steps are left in the episode of every row, itself included.
std::vector<int64_t> steps_left(const ControlData& data) {
  std::vector<int64_t> left(static_cast<size_t>(data.size()));
  for (const auto& episode : episode_ranges(data))
    for (int64_t t = 0; t < episode.steps; ++t)
      left[static_cast<size_t>(episode.start + t)] = episode.steps - t;
  return left;
}

// Rows [P,T] of `column` where the mask is 1, 0 elsewhere.
Tensor taken(const Tensor& column, const Tensor& rows, const Tensor& mask) {
  auto sizes = rows.sizes().vec();
  const auto tail = column.sizes().slice(1);
  sizes.insert(sizes.end(), tail.begin(), tail.end());
  const auto values = column.index_select(0, rows.reshape({-1})).view(sizes);
  return column.dim() == 1 ? values * mask : values * mask.unsqueeze(-1);
}

}  // namespace

Tensor segment_starts(const ControlData& data, int64_t length) {
  segments_check.that(length >= 1, "length", ">= 1", length);
  const auto left = steps_left(data);
  std::vector<int64_t> starts;
  for (size_t i = 0; i < left.size(); ++i)
    if (left[i] >= length) starts.push_back(static_cast<int64_t>(i));
  if (starts.empty())
    segments_check.refuse(ErrorKind::empty, "length",
                          fmt::format("of {} fits into no episode: the longest has {} steps", length,
                                      *std::max_element(left.begin(), left.end())));
  return at::tensor(starts, at::kLong);
}

ControlSegments segments_at(const ControlData& data, const Tensor& starts, int64_t length) {
  segments_check.that(length >= 1, "length", ">= 1", length);
  segments_check.not_empty("starts", starts);
  segments_check.dim("starts", starts, 1);
  segments_check.index_range("starts", starts, 0, data.size());
  const auto left = at::tensor(steps_left(data), at::kLong).index_select(0, starts);
  const auto step = at::arange(length, at::kLong);
  const auto mask = step.unsqueeze(0).lt(left.unsqueeze(1)).to(at::kFloat);
  const auto rows = (starts.unsqueeze(1) + step).clamp_max(data.size() - 1);
  return {taken(data.observations, rows, mask), taken(data.actions, rows, mask),
          taken(data.rewards, rows, mask), mask, starts};
}

ControlSegments sample_segments(const ControlData& data, int64_t count, int64_t length, Rng& rng) {
  segments_check.that(count >= 1, "count", ">= 1", count);
  const auto starts = segment_starts(data, length);
  const auto drawn = at::empty({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i) drawn.mutable_data_ptr<int64_t>()[i] = rng.below(starts.numel());
  return segments_at(data, starts.index_select(0, drawn), length);
}

ControlSegments all_segments(const ControlData& data, int64_t length) {
  segments_check.that(length >= 1, "length", ">= 1", length);
  std::vector<int64_t> starts;
  for (const auto& episode : episode_ranges(data))
    for (int64_t t = 0; t < episode.steps; t += length) starts.push_back(episode.start + t);
  return segments_at(data, at::tensor(starts, at::kLong), length);
}

PreferenceSegments compare_by_return(ControlSegments a, ControlSegments b, double margin) {
  const Check own("data.compare_by_return");
  own.that(margin >= 0, "margin", ">= 0", margin);
  own.same_shape("a", a.rewards, "b", b.rewards);
  const auto gap = a.rewards.to(at::kDouble).sum(1) - b.rewards.to(at::kDouble).sum(1);
  auto label = at::where(gap.abs().le(margin), 0.5, gap.gt(0).to(at::kDouble)).to(at::kFloat);
  constexpr double inside = 1 - 1e-5;
  a.actions = a.actions.clamp(-inside, inside);
  b.actions = b.actions.clamp(-inside, inside);
  return {std::move(a), std::move(b), std::move(label)};
}

}  // namespace plaudit
