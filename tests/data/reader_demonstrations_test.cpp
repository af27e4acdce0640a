#include <gtest/gtest.h>

#include "plaudit/data/jsonl.h"
#include "plaudit/data/reader.h"
#include "tests/data/expect_error.h"
#include "tests/data/temp_file.h"

namespace plaudit {
namespace {

const std::vector<Message> hello{{"user", "Hi"}};

Records<Demonstration> demonstrations(const std::string& content, const ReadOptions& options = {}) {
  return read_demonstrations(TempFile(".jsonl", content).path(), options);
}

Records<PromptRecord> prompts(const std::string& content, const ReadOptions& options = {}) {
  return read_prompts(TempFile(".jsonl", content).path(), options);
}

TEST(ReadDemonstrations, PromptAndCompletion) {
  const auto result = demonstrations(R"({"prompt": "Hi", "completion": "a", "weight": 0.5})");
  EXPECT_EQ(result.records.at(0).prompt.text, "Hi");
  EXPECT_EQ(result.records.at(0).completion, "a");
  EXPECT_EQ(result.records.at(0).weight, 0.5);
}

TEST(ReadDemonstrations, Conversations) {
  const std::string line =
      R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "Ho"}, {"role": "assistant", "content": "b"}]})";
  const auto last = demonstrations(line);
  ASSERT_EQ(last.records.size(), 1U);
  EXPECT_EQ(last.records[0].completion, "b");
  EXPECT_EQ(last.records[0].prompt.messages.size(), 3U);
  ReadOptions all;
  all.turns = "all";
  const auto every = demonstrations(line, all);
  ASSERT_EQ(every.records.size(), 2U);
  EXPECT_EQ(every.records[0].prompt.messages, hello);
  EXPECT_EQ(every.records[0].completion, "a");
  EXPECT_EQ(every.records[1].completion, "b");
}

TEST(ReadDemonstrations, InstructionInputOutput) {
  const auto result = demonstrations(R"({"instruction": "Add", "input": "1 2", "output": "3"}
{"instruction": "Greet", "input": "", "output": "Hi"})");
  EXPECT_EQ(result.records.at(0).prompt.text, "Add\n\n1 2");
  EXPECT_EQ(result.records.at(1).prompt.text, "Greet");
  EXPECT_EQ(result.records.at(1).completion, "Hi");
}

TEST(ReadDemonstrations, TextAloneAndDialogues) {
  const auto text = demonstrations(R"({"text": "Once upon a time."})");
  EXPECT_EQ(text.records.at(0).prompt.text, "");
  EXPECT_EQ(text.records.at(0).completion, "Once upon a time.");
  const auto dialogue = demonstrations(R"({"text": "\n\nHuman: Hi\n\nAssistant: a"})");
  EXPECT_EQ(dialogue.records.at(0).prompt.messages, hello);
  EXPECT_EQ(dialogue.records.at(0).completion, "a");
}

TEST(ReadDemonstrations, ShareGptConversations) {
  const auto result = demonstrations(
      R"({"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "a"}]})");
  EXPECT_EQ(result.records.at(0).prompt.messages.size(), 2U);
  EXPECT_EQ(result.report.form, "conversations");
}

TEST(ReadDemonstrations, TheChosenSideOfPairs) {
  EXPECT_EQ(demonstrations(R"({"prompt": "Hi", "chosen": "a", "rejected": "b"})").records.at(0).completion,
            "a");
}

TEST(ReadDemonstrations, AConversationWithoutAnAnswerIsRejected) {
  expect_error(ErrorKind::value,
               {"the conversation does not end with an assistant turn", "the last role is user"},
               [] { demonstrations(R"({"messages": [{"role": "user", "content": "Hi"}]})"); });
}

TEST(ReadDemonstrations, WrittenOnesReadBack) {
  const std::vector<Demonstration> all{{{"Hi", {}}, "a", 2, {{"id", 1}}}, {{"", hello}, "b"}};
  const TempFile file(".jsonl");
  write_records(file.path(), all);
  const auto back = read_demonstrations(file.path()).records;
  ASSERT_EQ(back.size(), 2U);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(json_of(back[i]), json_of(all[i]));
}

TEST(ReadPrompts, EveryForm) {
  const auto plain = prompts(R"({"prompt": "Hi", "answer": "4"})").records.at(0);
  EXPECT_EQ(plain.prompt.text, "Hi");
  EXPECT_EQ(plain.extra, (Json{{"answer", "4"}}));
  EXPECT_EQ(prompts(R"({"prompt": [{"role": "user", "content": "Hi"}]})").records.at(0).prompt.messages,
            hello);
  EXPECT_EQ(prompts(R"({"instruction": "Add", "input": "1"})").records.at(0).prompt.text, "Add\n\n1");
  EXPECT_EQ(prompts(R"({"instruction": "Add"})").records.at(0).prompt.text, "Add");
  EXPECT_EQ(prompts(R"({"prompt": "P", "instruction": "Add", "input": "1"})").records.at(0).prompt.text, "P");
  EXPECT_EQ(prompts(R"({"text": "Hi"})").records.at(0).prompt.text, "Hi");
  EXPECT_EQ(prompts(R"({"prompt": "Hi", "chosen": "a", "rejected": "b"})").records.at(0).prompt.text, "Hi");
  EXPECT_EQ(
      prompts(R"({"chosen": "\n\nHuman: Hi\n\nAssistant: a", "rejected": "\n\nHuman: Hi\n\nAssistant: b"})")
          .records.at(0)
          .prompt.messages,
      hello);
  EXPECT_EQ(
      prompts(R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a"}]})")
          .records.at(0)
          .prompt.messages,
      hello);
}

TEST(ReadPrompts, AListOfTexts) {
  const auto result = prompts(R"(["Hi", "Ho"])");
  ASSERT_EQ(result.records.size(), 2U);
  EXPECT_EQ(result.records[1].prompt.text, "Ho");
}

TEST(GuessKind, FollowsTheColumns) {
  const auto kind = [](const std::string& content) { return guess_kind(TempFile(".jsonl", content).path()); };
  EXPECT_EQ(kind(R"({"prompt": "Hi", "chosen": "a", "rejected": "b"})"), "pairs");
  EXPECT_EQ(kind(R"({"instruction": "Hi", "completions": []})"), "ranked");
  EXPECT_EQ(kind(R"({"prompt": "Hi", "completion": "a", "label": true})"), "unpaired");
  EXPECT_EQ(kind(R"({"prompt": "Hi", "completion": "a"})"), "demonstrations");
  EXPECT_EQ(kind(R"({"instruction": "Hi", "output": "a"})"), "demonstrations");
  EXPECT_EQ(kind(R"({"prompt": "Hi"})"), "prompts");
  EXPECT_EQ(kind(R"({"x": 1})"), "");
}

}  // namespace
}  // namespace plaudit
