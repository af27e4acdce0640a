#include <gtest/gtest.h>

#include "plaudit/data/jsonl.h"
#include "plaudit/data/reader.h"
#include "tests/data/expect_error.h"
#include "tests/data/temp_file.h"

namespace plaudit {
namespace {

Records<UnpairedFeedback> unpaired(const std::string& content, const ReadOptions& options = {}) {
  return read_unpaired_feedback(TempFile(".jsonl", content).path(), options);
}

Records<RankedList> ranked(const std::string& content, const ReadOptions& options = {}) {
  return read_ranked_lists(TempFile(".jsonl", content).path(), options);
}

TEST(ReadUnpaired, CompletionsWithALabel) {
  const auto result = unpaired(R"({"prompt": "Hi", "completion": "a", "label": true, "id": 1}
{"prompt": [{"role": "user", "content": "Hi"}], "completion": [{"role": "assistant", "content": "b"}], "label": 0})");
  ASSERT_EQ(result.records.size(), 2U);
  EXPECT_TRUE(result.records[0].desirable);
  EXPECT_EQ(result.records[0].extra, (Json{{"id", 1}}));
  EXPECT_FALSE(result.records[1].desirable);
  EXPECT_EQ(result.records[1].completion, "b");
  EXPECT_TRUE(result.records[1].prompt.is_chat());
}

TEST(ReadUnpaired, ConversationsWithALabel) {
  const auto result = unpaired(
      R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a"}], "label": false})");
  EXPECT_EQ(result.records.at(0).completion, "a");
  EXPECT_FALSE(result.records.at(0).desirable);
}

TEST(ReadUnpaired, APairGivesOneOfEach) {
  const auto result = unpaired(R"({"prompt": "Hi", "chosen": "a", "rejected": "b"})");
  ASSERT_EQ(result.records.size(), 2U);
  EXPECT_TRUE(result.records[0].desirable);
  EXPECT_EQ(result.records[1].completion, "b");
  EXPECT_FALSE(result.records[1].desirable);
  EXPECT_EQ(result.report.kept, 1);
  EXPECT_EQ(result.report.items, 2);
}

TEST(ReadUnpaired, AWrongLabelIsRejected) {
  ReadOptions options;
  options.max_rejected = 1;
  for (const char* label : {"\"yes\"", "2", "0.5", "[]"}) {
    const auto result = unpaired(std::string(R"({"prompt": "Hi", "completion": "a", "label": true})") + "\n" +
                                     R"({"prompt": "Hi", "completion": "a", "label": )" + label + "}",
                                 options);
    EXPECT_EQ(result.report.counts.at("'label' is not true or false"), 1) << label;
  }
  expect_error(ErrorKind::value, {"has no column 'label'", "columns: {label: NAME}"},
               [] { unpaired(R"({"prompt": "Hi", "completion": "a", "desirable": true})"); });
}

TEST(ReadUnpaired, WrittenFeedbackReadsBack) {
  const std::vector<UnpairedFeedback> all{{{"Hi", {}}, "a", true, {{"id", 1}}},
                                          {{"", {{"user", "u"}}}, "b", false}};
  const TempFile file(".jsonl");
  write_records(file.path(), all);
  const auto back = read_unpaired_feedback(file.path()).records;
  ASSERT_EQ(back.size(), 2U);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(json_of(back[i]), json_of(all[i]));
}

TEST(ReadRanked, ScoresWithinAndBeside) {
  const auto within = ranked(
      R"({"instruction": "Hi", "completions": [{"response": "x", "overall_score": 2, "score": 9}, {"response": "y", "overall_score": 3}], "source": "s"})");
  EXPECT_EQ(within.records.at(0).scores, (std::vector<double>{2, 3}));
  EXPECT_EQ(within.records.at(0).extra, (Json{{"source", "s"}}));
  const auto beside = ranked(R"({"prompt": "Hi", "completions": ["x", "y"], "scores": [1, 0.5]})");
  EXPECT_EQ(beside.records.at(0).completions, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(beside.records.at(0).scores, (std::vector<double>{1, 0.5}));
}

TEST(ReadRanked, NamesInsideAnElementCanBeMapped) {
  ReadOptions options;
  options.columns.response = "text";
  options.columns.score = "fine-grained_score";
  const auto result = ranked(
      R"({"prompt": "Hi", "completions": [{"text": "x", "fine-grained_score": 4, "overall_score": 1}, {"text": "y", "fine-grained_score": 3, "overall_score": 2}]})",
      options);
  EXPECT_EQ(result.records.at(0).scores, (std::vector<double>{4, 3}));
}

TEST(ReadRanked, MessagesAsElementsAndNoScores) {
  const auto result =
      ranked(R"({"prompt": "Hi", "completions": [[{"role": "assistant", "content": "x"}], "y"]})");
  EXPECT_EQ(result.records.at(0).completions, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(result.records.at(0).scores.empty());
}

TEST(ReadRanked, APairIsAListOfTwo) {
  const auto result = ranked(R"({"prompt": "Hi", "chosen": "a", "rejected": "b"})");
  EXPECT_EQ(result.records.at(0).completions, (std::vector<std::string>{"a", "b"}));
}

TEST(ReadRanked, WrittenListsReadBack) {
  const std::vector<RankedList> all{{{"Hi", {}}, {"a", "b"}, {1, 2}}, {{"Ho", {}}, {"a", "b", "c"}, {}}};
  const TempFile file(".jsonl");
  write_records(file.path(), all);
  const auto back = read_ranked_lists(file.path()).records;
  ASSERT_EQ(back.size(), 2U);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(json_of(back[i]), json_of(all[i]));
}

}  // namespace
}  // namespace plaudit
