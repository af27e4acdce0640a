#include "plaudit/data/reward_files.h"

#include "plaudit/core/safetensors.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

const char* const kTables =
    R"({"transition": [[[0.5, 0.5]], [[0, 1]]], "gamma": 0.9,
        "rewards": {"true": [[[1, 2]], [[3, 4]]], "state": [5, 6], "action": [[7], [8]]}})";

TEST(RewardFiles, TablesAreBroadcastOverWhatTheyLeaveOut) {
  const TemporaryFolder folder;
  write_bytes(folder / "mdp.json", kTables);
  const auto tables = read_reward_tables(folder / "mdp.json");
  EXPECT_EQ(tables.gamma, 0.9);
  expect_close(tables.initial, at::tensor({0.5, 0.5}, at::kDouble));
  ASSERT_EQ(tables.rewards.size(), 3u);
  EXPECT_EQ(tables.rewards[1].first, "state");
  expect_close(tables.rewards[1].second, at::tensor({5.0, 5.0, 6.0, 6.0}, at::kDouble).view({2, 1, 2}));
  expect_close(tables.rewards[2].second, at::tensor({7.0, 7.0, 8.0, 8.0}, at::kDouble).view({2, 1, 2}));
}

TEST(RewardFiles, BothFormatsHoldTheSame) {
  const TemporaryFolder folder;
  write_bytes(
      folder / "rows.jsonl",
      "{\"s\": [1, 2], \"a\": [0], \"s2\": [3, 4], \"done\": false, \"rewards\": {\"b\": 1, \"a\": 2}}\n"
      "{\"s\": [5, 6], \"a\": [1], \"s2\": [7, 8], \"done\": true, \"rewards\": {\"b\": 3, \"a\": 4}}\n");
  const auto rows = read_reward_transitions(folder / "rows.jsonl");
  save_safetensors(folder / "rows.safetensors",
                   {{"s", rows.states},
                    {"s2", rows.next_states.squeeze(1)},
                    {"done", rows.terminal},
                    {"rewards/b", rows.rewards[0].second.squeeze(1)},
                    {"rewards/a", rows.rewards[1].second.squeeze(1)}},
                   {{"gamma", "0.5"}});
  const auto same = read_reward_transitions(folder / "rows.safetensors");
  expect_close(rows.states, at::tensor({1.0, 2.0, 5.0, 6.0}, at::kDouble).view({2, 2}));
  expect_close(rows.next_states, at::tensor({3.0, 4.0, 7.0, 8.0}, at::kDouble).view({2, 1, 2}));
  expect_close(rows.terminal, at::tensor({0.0, 1.0}, at::kDouble));
  EXPECT_EQ(rows.rewards[0].first, "b");
  expect_close(same.next_states, rows.next_states);
  expect_close(same.terminal, rows.terminal);
  expect_close(same.rewards[0].second, rows.rewards[1].second);  // sorted by name
  EXPECT_EQ(same.gamma, 0.5);
}

TEST(RewardFiles, ErrorsNameFileAndField) {
  const TemporaryFolder folder;
  const auto tables = [&](const std::string& text) {
    write_bytes(folder / "mdp.json", text);
    read_reward_tables(folder / "mdp.json");
  };
  expect_error(ErrorKind::value, "mdp.json: transition is missing",
               [&] { tables(R"({"rewards": {"a": [1], "b": [2]}})"); });
  expect_error(ErrorKind::empty, "rewards",
               [&] { tables(R"({"transition": [[[1]]], "rewards": {"a": [1]}})"); });
  expect_error(ErrorKind::shape, "rewards/b must have shape [1, 1, 1]",
               [&] { tables(R"({"transition": [[[1]]], "rewards": {"a": [1], "b": [1, 2]}})"); });
  expect_error(ErrorKind::shape, "transition",
               [&] { tables(R"({"transition": [[1]], "rewards": {"a": [1], "b": [1]}})"); });
  const auto rows = [&](const std::string& text) {
    write_bytes(folder / "rows.jsonl", text);
    read_reward_transitions(folder / "rows.jsonl");
  };
  const std::string first = R"({"s": [1], "s2": [2], "rewards": {"a": 1, "b": 2}})";
  expect_error(ErrorKind::value, "rows.jsonl:2: rewards/b is missing",
               [&] { rows(first + "\n" + R"({"s": [1], "s2": [2], "rewards": {"a": 1}})"); });
  expect_error(ErrorKind::shape, "rows.jsonl:2: s2 has shape [2]",
               [&] { rows(first + "\n" + R"({"s": [1], "s2": [2, 3], "rewards": {"a": 1, "b": 2}})"); });
  expect_error(ErrorKind::nan, "rows.jsonl:2: s holds",
               [&] { rows(first + "\n" + R"({"s": ["nan"], "s2": [2], "rewards": {"a": 1, "b": 2}})"); });
  expect_error(ErrorKind::shape, "s2",
               [&] { rows(R"({"s": [1], "s2": [2, 3], "rewards": {"a": 1, "b": 2}})"); });
  expect_error(ErrorKind::type, "rows.jsonl:2", [&] { rows(first + "\nno json"); });
  expect_error(ErrorKind::empty, "rows.jsonl", [&] { rows(""); });
}

}  // namespace
}  // namespace plaudit
