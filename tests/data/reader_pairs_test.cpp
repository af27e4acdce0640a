#include <gtest/gtest.h>

#include <filesystem>

#include "plaudit/data/jsonl.h"
#include "plaudit/data/reader.h"
#include "tests/data/expect_error.h"
#include "tests/data/temp_file.h"

namespace plaudit {
namespace {

const std::vector<Message> hello{{"user", "Hi"}};

Records<PreferencePair> read(const std::string& content, const ReadOptions& options = {}) {
  return read_preference_pairs(TempFile(".jsonl", content).path(), options);
}

ReadOptions allowing_all_rejections() {
  ReadOptions options;
  options.max_rejected = 1;
  return options;
}

// Reads one good record and `line`, and returns why the latter was rejected.
std::string reason_for(const std::string& line, ReadOptions options = allowing_all_rejections()) {
  const auto result = read(R"({"prompt": "Hi", "chosen": "a", "rejected": "b"})"
                           "\n" +
                               line + "\n",
                           options);
  EXPECT_EQ(result.report.read, 2);
  EXPECT_EQ(result.report.kept, 1);
  if (result.report.rejected.size() != 1) return "not rejected";
  EXPECT_EQ(result.report.rejected[0].line, 2);
  EXPECT_EQ(result.report.counts.at(result.report.rejected[0].reason), 1);
  return result.report.rejected[0].reason;
}

TEST(ReadPairs, PlainText) {
  const auto result = read(
      R"({"prompt": "Hi", "chosen": " a", "rejected": "b", "label": 0.9, "weight": 2, "margin": -1, "id": 7})");
  const auto& pair = result.records.at(0);
  EXPECT_EQ(pair.prompt.text, "Hi");
  EXPECT_FALSE(pair.prompt.is_chat());
  EXPECT_EQ(pair.chosen, " a");
  EXPECT_EQ(pair.rejected, "b");
  EXPECT_EQ(pair.label, 0.9);
  EXPECT_EQ(pair.weight, 2);
  EXPECT_EQ(pair.margin, -1);
  EXPECT_EQ(pair.extra, (Json{{"id", 7}}));
  EXPECT_EQ(result.report.form, "prompt, chosen, rejected");
}

TEST(ReadPairs, ChatMessages) {
  const auto pair =
      read(
          R"({"prompt": [{"role": "user", "content": "Hi"}], "chosen": [{"role": "assistant", "content": "a"}], "rejected": "b"})")
          .records.at(0);
  EXPECT_EQ(pair.prompt.messages, hello);
  EXPECT_EQ(pair.chosen, "a");
  EXPECT_EQ(pair.rejected, "b");
}

TEST(ReadPairs, ImplicitPromptInMessages) {
  const auto result = read(
      R"({"chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a"}], "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "b"}]})");
  EXPECT_EQ(result.records.at(0).prompt.messages, hello);
  EXPECT_EQ(result.records.at(0).chosen, "a");
  EXPECT_EQ(result.report.form, "chosen, rejected");
}

TEST(ReadPairs, APromptBesideWholeConversationsIsCheckedAgainstThem) {
  const std::string sides =
      R"("chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a"}], "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "b"}]})";
  const auto result = read(R"({"prompt": "Hi", )" + sides);
  EXPECT_EQ(result.records.at(0).prompt.messages, hello);
  EXPECT_EQ(result.records.at(0).extra, Json::object());
  EXPECT_EQ(reason_for(R"({"prompt": "Bye", )" + sides), "'prompt' is not part of the conversations");
}

TEST(ReadPairs, ShareGptNamesAndContentParts) {
  const auto result = read(
      R"({"chosen": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "a"}], "rejected": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, {"role": "model", "content": "b"}]})");
  EXPECT_EQ(result.records.at(0).prompt.messages, hello);
  EXPECT_EQ(result.records.at(0).rejected, "b");
}

TEST(ReadPairs, Dialogues) {
  const std::string line =
      R"({"chosen": "\n\nHuman: Hi\n\nAssistant: a", "rejected": "\n\nHuman: Hi\n\nAssistant: b"})";
  EXPECT_EQ(read(line).records.at(0).prompt.messages, hello);
  ReadOptions text;
  text.dialogues = "text";
  EXPECT_EQ(read(line, text).records.at(0).prompt.text, "\n\nHuman: Hi\n\nAssistant:");
}

TEST(ReadPairs, PlainPromptsMayBecomeChat) {
  ReadOptions options;
  options.plain_prompts = "chat";
  EXPECT_EQ(
      read(R"({"prompt": "Hi", "chosen": "a", "rejected": "b"})", options).records.at(0).prompt.messages,
      hello);
}

TEST(ReadPairs, UltraFeedbackLikeLists) {
  const std::string line =
      R"({"instruction": "Hi", "completions": [{"response": "x", "overall_score": 2}, {"response": "y", "overall_score": 7.5}, {"response": "z", "overall_score": 2}]})";
  const auto best_worst = read(line);
  ASSERT_EQ(best_worst.records.size(), 1U);
  EXPECT_EQ(best_worst.records[0].chosen, "y");
  EXPECT_EQ(best_worst.records[0].rejected, "x");
  EXPECT_EQ(best_worst.records[0].extra["chosen_score"], 7.5);
  ReadOptions all;
  all.pairs = "all";
  const auto every = read(line, all);
  EXPECT_EQ(every.records.size(), 2U);
  EXPECT_EQ(every.report.kept, 1);
  EXPECT_EQ(every.report.items, 2);
  EXPECT_EQ(every.report.ties, 1);
}

TEST(ReadPairs, ScoresInAColumnOfTheirOwnOrNone) {
  EXPECT_EQ(read(R"({"prompt": "Hi", "completions": ["x", "y"], "scores": [1, 2]})").records.at(0).chosen,
            "y");
  EXPECT_EQ(read(R"({"prompt": "Hi", "completions": ["x", "y", "z"]})").records.at(0).rejected, "z");
}

TEST(ReadPairs, AColumnMap) {
  ReadOptions options;
  options.columns.prompt = "question";
  options.columns.chosen = "response_j";
  options.columns.rejected = "response_k";
  const std::string line = R"({"question": "Hi", "response_j": "a", "response_k": "b", "chosen": 3})";
  const auto pair = read(line, options).records.at(0);
  EXPECT_EQ(pair.prompt.text, "Hi");
  EXPECT_EQ(pair.chosen, "a");
  EXPECT_EQ(pair.extra, (Json{{"chosen", 3}}));

  options.columns.rejected = "response_kk";
  expect_error(ErrorKind::value,
               {"has no column 'response_kk', did you mean 'response_k'?", "columns: {rejected:"},
               [&] { read(line, options); });
}

TEST(ReadPairs, AMissingColumnIsNamedWithTheNearest) {
  expect_error(ErrorKind::value, {"has no column 'rejected', did you mean 'rejectd'?"},
               [] { read(R"({"prompt": "Hi", "chosen": "a", "rejectd": "b"})"); });
  expect_error(ErrorKind::value, {"has no column 'prompt'", "its columns are question, chosen, rejected"},
               [] { read(R"({"question": "Hi", "chosen": "a", "rejected": "b"})"); });
}

TEST(ReadPairs, AColumnCanBeTakenAsAbsent) {
  const std::string line = R"({"prompt": "Hi", "chosen": "a", "rejected": "b", "label": "safe"})";
  EXPECT_THROW(read(line), UserError);
  ReadOptions options;
  options.columns.label = "-";
  EXPECT_EQ(read(line, options).records.at(0).extra, (Json{{"label", "safe"}}));
}

TEST(ReadPairs, ReasonsForRejection) {
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": "a", )"), "not valid JSON");
  EXPECT_EQ(reason_for("[1]"), "not a JSON object");
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": "a"})"), "'rejected' is missing");
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": "a", "rejected": null})"), "'rejected' is missing");
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": "a", "rejected": 3})"), "'rejected' is not text");
  EXPECT_EQ(reason_for(R"({"prompt": 3, "chosen": "a", "rejected": "b"})"), "'prompt' is not text");
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": " \n", "rejected": "b"})"), "the answer is empty");
  EXPECT_EQ(reason_for(R"({"prompt": "", "chosen": "a", "rejected": "b"})"), "the prompt is empty");
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": "a", "rejected": "a "})"), "chosen equals rejected");
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": "a", "rejected": "b", "label": 2})"),
            "'label' is not a number in [0, 1]");
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": "a", "rejected": "b", "weight": -1})"),
            "'weight' is not a number >= 0");
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": "a", "rejected": "b", "margin": "x"})"),
            "'margin' is not a number");
  EXPECT_EQ(reason_for(R"({"prompt": [], "chosen": "a", "rejected": "b"})"), "'prompt' has no message");
  EXPECT_EQ(reason_for(R"({"prompt": ["x"], "chosen": "a", "rejected": "b"})"),
            "'prompt' is not a list of messages");
  EXPECT_EQ(reason_for(R"({"prompt": [{"content": "x"}], "chosen": "a", "rejected": "b"})"),
            "'prompt' has a message without a role");
  EXPECT_EQ(reason_for(R"({"prompt": [{"role": "tool", "content": "x"}], "chosen": "a", "rejected": "b"})"),
            "'prompt' has a message with an unknown role");
  EXPECT_EQ(reason_for(R"({"prompt": [{"role": "user", "content": 1}], "chosen": "a", "rejected": "b"})"),
            "'prompt' has a message whose content is not text");
  EXPECT_EQ(
      reason_for(
          R"({"prompt": [{"role": "user", "content": [{"type": "image"}]}], "chosen": "a", "rejected": "b"})"),
      "'prompt' has a message with a part that is not text");
  EXPECT_EQ(
      reason_for(R"({"prompt": [{"role": "assistant", "content": "x"}], "chosen": "a", "rejected": "b"})"),
      "the prompt ends with an assistant turn");
  EXPECT_EQ(reason_for(R"({"prompt": "Hi", "chosen": [{"role": "user", "content": "x"}], "rejected": "b"})"),
            "'chosen' is not one assistant message");
  EXPECT_EQ(
      reason_for(
          R"({"prompt": "Hi", "chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a"}], "rejected": [{"role": "user", "content": "Ho"}, {"role": "assistant", "content": "b"}]})"),
      "chosen and rejected answer different prompts");
  EXPECT_EQ(
      reason_for(
          R"({"prompt": "Hi", "chosen": [{"role": "user", "content": "Hi"}, {"role": "user", "content": "a"}], "rejected": "b"})"),
      "the conversation does not end with an assistant turn");
}

TEST(ReadPairs, ReasonsForRejectionOfDialoguesAndLists) {
  const auto reason = [](const std::string& good, const std::string& bad) {
    const auto report = read(good + "\n" + bad, allowing_all_rejections()).report;
    return report.rejected.empty() ? "" : report.rejected[0].reason;
  };
  const std::string dialogue =
      R"({"chosen": "\n\nHuman: Hi\n\nAssistant: a", "rejected": "\n\nHuman: Hi\n\nAssistant: b"})";
  EXPECT_EQ(reason(dialogue, R"({"chosen": "\n\nHuman: Hi", "rejected": "\n\nHuman: Hi\n\nAssistant: b"})"),
            "not a dialogue with an answer");
  EXPECT_EQ(
      reason(dialogue,
             R"({"chosen": "\n\nHuman: Ho\n\nAssistant: a", "rejected": "\n\nHuman: Hi\n\nAssistant: b"})"),
      "chosen and rejected answer different prompts");
  EXPECT_EQ(
      reason(dialogue,
             R"({"chosen": "\n\nHuman: Hi\n\nAssistant:", "rejected": "\n\nHuman: Hi\n\nAssistant: b"})"),
      "the answer is empty");
  const std::string list = R"({"prompt": "Hi", "completions": ["x", "y"], "scores": [1, 2]})";
  EXPECT_EQ(reason(list, R"({"prompt": "Hi", "completions": ["x", "y"], "scores": [2, 2]})"),
            "all scores are equal");
  EXPECT_EQ(reason(list, R"({"prompt": "Hi", "completions": ["x", "x"], "scores": [1, 2]})"),
            "chosen equals rejected");
  EXPECT_EQ(reason(list, R"({"prompt": "Hi", "completions": ["x"], "scores": [1]})"),
            "'completions' is not a list of two or more");
  EXPECT_EQ(reason(list, R"({"prompt": "Hi", "completions": ["x", "y"], "scores": [1]})"),
            "'scores' does not hold one score per completion");
  EXPECT_EQ(reason(list, R"({"prompt": "Hi", "completions": ["x", "y"], "scores": [1, "2"]})"),
            "a score is not a number");
  EXPECT_EQ(
      reason(list, R"({"prompt": "Hi", "completions": [{"response": "x", "score": 1}, {"response": "y"}]})"),
      "a score is not a number");
  EXPECT_EQ(reason(list, R"({"prompt": "Hi", "completions": [1, 2], "scores": [1, 2]})"),
            "'completions' has an element that is no text and has no text 'response'");
}

TEST(ReadPairs, TooManyBadRecordsStopTheReading) {
  std::string content;
  for (int i = 0; i < 95; ++i)
    content += R"({"prompt": "Hi", "chosen": "a", "rejected": "b"})"
               "\n";
  for (int i = 0; i < 5; ++i)
    content += R"({"prompt": "Hi", "chosen": "a", "rejected": "a"})"
               "\n";
  EXPECT_EQ(read(content).report.kept, 95);  // exactly the share that is allowed
  content += "broken\n";
  expect_error(ErrorKind::value,
               {"6 of 101 records cannot be used", "5 chosen equals rejected (first on line 96)",
                "1 not valid JSON (first on line 101)", "line 97: chosen equals rejected", "and 1 more"},
               [&] { read(content); });
}

TEST(ReadPairs, NothingToUseIsAnErrorEvenWhereAllMayBeRejected) {
  expect_error(ErrorKind::empty, {"has no record that can be used", "line 1: chosen equals rejected"}, [] {
    read(R"({"prompt": "Hi", "chosen": "a", "rejected": "a"})", allowing_all_rejections());
  });
  expect_error(ErrorKind::empty, {"holds no records"}, [] { read(""); });
  expect_error(ErrorKind::empty, {"holds no records"}, [] { read("[]"); });
  expect_error(ErrorKind::type, {"holds no JSON objects", "line 1"}, [] { read("prompt,chosen\nHi,a\n"); });
}

TEST(ReadPairs, ALimitStopsEarly) {
  ReadOptions options;
  options.limit = 2;
  std::string content;
  for (int i = 0; i < 5; ++i)
    content += R"({"prompt": "Hi", "chosen": "a", "rejected": "b"})"
               "\n";
  EXPECT_EQ(read(content, options).report.read, 2);
}

TEST(ReadPairs, OptionsComeFromARecipe) {
  const auto node = YAML::Load("{columns: {prompt: question}, max_rejected: 0.2, limit: 3}");
  const auto options = read_options<ReadOptions>(node, {"recipe.yaml", "data"});
  EXPECT_EQ(options.columns.prompt, "question");
  EXPECT_EQ(options.limit, 3);
  expect_error(ErrorKind::value, {"recipe.yaml:1", "data.columns.chosn", "did you mean 'chosen'?"}, [] {
    read_options<ReadOptions>(YAML::Load("{columns: {chosn: x}}"), {"recipe.yaml", "data"});
  });
}

TEST(ReadPairs, WrittenPairsReadBackUnchanged) {
  std::vector<PreferencePair> pairs(2);
  pairs[0] = {{"", {{"system", "s"}, {"user", "Hi"}}}, "a", "b\n", 0.75, 2, 0.5, {{"id", 1}}};
  pairs[1] = {{"plain", {}}, "c", "d", 1, 1, std::nullopt, {{"scores", {1, 2}}}};
  const TempFile file(".jsonl.gz");
  write_records(file.path(), pairs);
  const auto back = read_preference_pairs(file.path()).records;
  ASSERT_EQ(back.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(json_of(back[i]), json_of(pairs[i]));
    EXPECT_EQ(back[i].prompt, pairs[i].prompt);
    EXPECT_EQ(back[i].margin, pairs[i].margin);
  }
}

TEST(ReadPairs, HhRlhf) {
  const std::string path = "../shared/data/hh-rlhf-harmless.part.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  const auto result = read_preference_pairs(path);
  EXPECT_EQ(result.report.read, 1500);
  EXPECT_EQ(result.report.counts.at("chosen and rejected answer different prompts"), 4);
  EXPECT_EQ(result.report.counts.at("the answer is empty"), 2);
  EXPECT_GE(result.report.kept, 1490);
  for (const auto& pair : result.records) {
    ASSERT_TRUE(pair.prompt.is_chat());
    ASSERT_EQ(pair.prompt.messages.back().role, "user");
  }
}

TEST(ReadPairs, TwitterParaphrases) {
  const std::string path = "../shared/data/preferences-twitter-paraphrase-train.json.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  ReadOptions options;
  options.columns.prompt = "question";
  options.columns.chosen = "response_j";
  options.columns.rejected = "response_k";
  const auto result = read_preference_pairs(path, options);
  EXPECT_EQ(result.report.read, 3957);
  EXPECT_TRUE(result.records.at(0).extra.contains("response_j_score"));
}

}  // namespace
}  // namespace plaudit
