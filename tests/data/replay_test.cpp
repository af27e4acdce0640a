#include "plaudit/data/replay.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

void add(ReplayBuffer& buffer, float x) {
  const float observation[2] = {x, -x}, next[2] = {x + 1, -x - 1}, previous[1] = {x / 2}, action[1] = {x / 4};
  buffer.add(observation, previous, action, 10 * x, next, x > 2);
}

TEST(Replay, RowsStayTogether) {
  ReplayBuffer buffer(8, 2, 1);
  for (int i = 0; i < 5; ++i) add(buffer, static_cast<float>(i));
  Rng rng(0, "replay");
  const auto b = buffer.sample(200, rng);
  const auto x = b.observations.select(1, 0);
  expect_close(b.observations.select(1, 1), -x, 0);
  expect_close(b.next_observations.select(1, 0), x + 1, 0);
  expect_close(b.previous_actions.select(1, 0), x / 2, 0);
  expect_close(b.actions.select(1, 0), x / 4, 0);
  expect_close(b.rewards, 10 * x, 0);
  expect_close(b.terminals, (x > 2).to(at::kFloat), 0);
  EXPECT_EQ(x.min().item<float>(), 0);
  EXPECT_EQ(x.max().item<float>(), 4);
}

TEST(Replay, AFullBufferForgetsTheOldest) {
  ReplayBuffer buffer(3, 2, 1);
  for (int i = 0; i < 5; ++i) add(buffer, static_cast<float>(i));
  EXPECT_EQ(buffer.size(), 3);
  Rng rng(0, "replay");
  EXPECT_EQ(buffer.sample(100, rng).observations.select(1, 0).min().item<float>(), 2);
}

TEST(Replay, ErrorsNameTheArgument) {
  ReplayBuffer buffer(3, 2, 1);
  Rng rng(0, "replay");
  expect_error(ErrorKind::empty, "buffer", [&] { buffer.sample(1, rng); });
  expect_error(ErrorKind::value, "capacity", [] { ReplayBuffer(0, 2, 1); });
  add(buffer, 1);
  expect_error(ErrorKind::value, "batch", [&] { buffer.sample(0, rng); });
}

}  // namespace
}  // namespace plaudit
