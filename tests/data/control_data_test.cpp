#include "plaudit/data/control_data.h"

#include <nlohmann/json.hpp>

#include "plaudit/data/control_segments.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// Episodes of 3 (terminal), 2 (time-out) and 2 (cut) steps; observation and reward of row i are i.
ControlData small() {
  const auto row = at::arange(7, at::kFloat);
  auto terminals = at::zeros({7}, at::kBool), timeouts = at::zeros({7}, at::kBool);
  terminals[2] = true;
  timeouts[4] = true;
  return checked_control_data({.observations = row.unsqueeze(1).repeat({1, 2}),
                               .actions = row.unsqueeze(1) / 10,
                               .rewards = row,
                               .terminals = terminals,
                               .timeouts = timeouts,
                               .infos = {{"qpos", row.unsqueeze(1)}},
                               .metadata = R"({"environment": "point"})"},
                              "small");
}

TEST(ControlData, EpisodesEndWithTerminalsAndTimeouts) {
  const auto data = small();
  EXPECT_TRUE(at::equal(data.episode_starts, at::tensor({0, 3, 5}, at::kLong)));
  const auto ranges = episode_ranges(data);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[0].end, EpisodeEnd::terminal);
  EXPECT_EQ(ranges[1].end, EpisodeEnd::timeout);
  EXPECT_EQ(ranges[2].end, EpisodeEnd::cut);
  EXPECT_EQ(ranges[1].start, 3);
  EXPECT_EQ(ranges[1].steps, 2);
  expect_close(episode_returns(data), at::tensor({3.0, 7.0}, at::kDouble));  // not of the one that is cut
}

TEST(ControlData, TransitionsFollowD4rlWhereNextObservationsAreUnknown) {
  const auto t = transitions_of(small());
  expect_close(t.rewards,
               at::tensor({0.0F, 1.0F, 2.0F, 3.0F, 5.0F}));  // neither the time-out nor the last row
  expect_close(t.next_observations.select(1, 0), at::tensor({1.0F, 2.0F, 3.0F, 4.0F, 6.0F}));
  expect_close(t.terminals, at::tensor({0.0F, 0.0F, 1.0F, 0.0F, 0.0F}));
  EXPECT_EQ(transitions_of(small(), /*terminate_on_end=*/true).rewards.size(0), 6);
}

TEST(ControlData, EveryRowIsATransitionWhereTheyAreKnown) {
  auto data = small();
  data.next_observations = data.observations + 100;
  const auto t = transitions_of(checked_control_data(data, "known"));
  EXPECT_EQ(t.rewards.size(0), 7);
  expect_close(t.next_observations, data.observations + 100);
  EXPECT_EQ(t.terminals.sum().item<float>(), 1);  // a time-out is no terminal
}

TEST(ControlData, WhatIsWrongIsNamedWithRowAndValue) {
  const auto refuse = [](ErrorKind kind, const std::string& message, auto change) {
    auto data = small();
    change(data);
    expect_error(kind, "file.hdf5: " + message, [&] { checked_control_data(data, "file.hdf5"); });
  };
  refuse(ErrorKind::nan, "observations[4,1] is nan", [](auto& d) { d.observations[4][1] = NAN; });
  refuse(ErrorKind::nan, "actions[0,0] is inf", [](auto& d) { d.actions[0][0] = INFINITY; });
  refuse(ErrorKind::value, "timeouts[3] must be 0 or 1, got 0.5", [](auto& d) {
    d.timeouts = d.timeouts.to(at::kFloat);
    d.timeouts[3] = 0.5;
  });
  refuse(ErrorKind::value, "no episode ends", [](auto& d) {
    d.terminals.zero_();
    d.timeouts.zero_();
  });
  refuse(ErrorKind::shape, "actions must have shape [7,width] like rewards, got [6, 1]",
         [](auto& d) { d.actions = d.actions.slice(0, 1); });
  refuse(ErrorKind::shape, "observations [7, 2] and next_observations [7, 3] must be of one width",
         [](auto& d) {
           d.next_observations = at::zeros({7, 3});
         });
  refuse(ErrorKind::value, "the column 'terminals' is missing", [](auto& d) { d.terminals = Tensor(); });
  refuse(ErrorKind::empty, "holds no transition", [](auto& d) { d.rewards = at::zeros({0}); });
}

TEST(ControlData, WidthsMustFitTheTask) {
  EXPECT_NO_THROW(check_widths(small(), "file", "task", 2, 1));
  expect_error(ErrorKind::shape,
               "file: has observations of 2 and actions of 1 numbers, Hopper-v5 has 11 and 3",
               [] { check_widths(small(), "file", "Hopper-v5", 11, 3); });
}

TEST(ControlData, ACutEpisodeDoesNotRunOnIntoTheNextData) {
  const auto both = joined(small(), small());
  EXPECT_TRUE(at::equal(both.episode_starts, at::tensor({0, 3, 5, 7, 10, 12}, at::kLong)));
  EXPECT_TRUE(both.timeouts[6].item<bool>());
  EXPECT_FALSE(small().timeouts[6].item<bool>());
  EXPECT_EQ(both.infos.at("qpos").size(0), 14);
  const auto part = rows_of(both, 3, 5);
  expect_close(part.rewards, at::tensor({3.0F, 4.0F, 5.0F, 6.0F, 0.0F}));
  EXPECT_TRUE(at::equal(part.episode_starts, at::tensor({0, 2, 4}, at::kLong)));
}

TEST(ControlSegments, NoSegmentRunsOverAnEnd) {
  const auto data = small();
  EXPECT_TRUE(at::equal(segment_starts(data, 2), at::tensor({0, 1, 3, 5}, at::kLong)));
  expect_error(ErrorKind::empty, "of 4 fits into no episode: the longest has 3 steps",
               [&] { segment_starts(data, 4); });
  const auto cut = segments_at(data, at::tensor({1, 6}, at::kLong), 3);
  expect_close(cut.rewards, at::tensor({1.0F, 2.0F, 0.0F, 6.0F, 0.0F, 0.0F}).view({2, 3}));
  expect_close(cut.mask, at::tensor({1.0F, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F}).view({2, 3}));
  EXPECT_EQ(cut.observations.sizes(), at::IntArrayRef({2, 3, 2}));
  const auto all = all_segments(data, 2);
  EXPECT_TRUE(at::equal(all.starts, at::tensor({0, 2, 3, 5}, at::kLong)));
  EXPECT_EQ(all.mask.sum().item<float>(), 7);  // every row once
  Rng rng(0, "segments");
  const auto drawn = sample_segments(data, 200, 2, rng);
  EXPECT_EQ(drawn.mask.min().item<float>(), 1);
  EXPECT_EQ(std::get<0>(at::_unique(drawn.starts)).numel(), 4);
}

TEST(ControlSegments, TheLargerReturnIsPreferred) {
  const auto data = small();
  const auto at_rows = [&](std::vector<int64_t> rows) {
    return segments_at(data, at::tensor(rows, at::kLong), 2);
  };
  auto extreme = at_rows({0, 3, 1});
  extreme.actions.fill_(1);
  const auto pairs = compare_by_return(extreme, at_rows({3, 3, 0}), 0.5);
  expect_close(pairs.label, at::tensor({0.0F, 0.5F, 1.0F}));
  EXPECT_LT(pairs.a.actions.max().item<double>(), 1);
  EXPECT_EQ(compare_by_return(extreme, at_rows({3, 3, 0}), 2).label[2].item<float>(), 0.5F);
  expect_error(ErrorKind::shape, "data.compare_by_return", [&] { compare_by_return(extreme, at_rows({0})); });
}

}  // namespace
}  // namespace plaudit
