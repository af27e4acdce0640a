#include "plaudit/data/chat_template.h"

#include <gtest/gtest.h>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using Messages = std::vector<Message>;

TEST(ChatTemplate, DefaultSystemSentences) {
  const Messages messages = {{"user", "Hi"}};
  EXPECT_EQ(
      apply_chat_template(messages, "qwen2", false),
      "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
      "<|im_start|>user\nHi<|im_end|>\n");
  EXPECT_EQ(apply_chat_template({{"system", "S"}, {"user", "Hi"}}, "qwen2", false),
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n");
}

TEST(ChatTemplate, LlamaTrimsByUnicode) {
  EXPECT_EQ(apply_chat_template({{"user", "\xC2\xA0 Hi\n"}}, "llama3", true),
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplate, GemmaNeedsAlternation) {
  EXPECT_EQ(apply_chat_template({{"system", " S "}, {"user", " a "}}, "gemma", false),
            "<bos><start_of_turn>user\n S \n\na<end_of_turn>\n");
  const std::vector<Messages> bad = {{{"assistant", "a"}},
                                     {{"user", "a"}, {"user", "b"}},
                                     {{"user", "a"}, {"system", "b"}},
                                     {{"system", "a"}},
                                     {{"system", "a"}, {"assistant", "b"}}};
  for (const auto& messages : bad)
    testing::expect_error(ErrorKind::value, "messages",
                          [&] { apply_chat_template(messages, "gemma", true); });
}

TEST(ChatTemplate, MistakesAreNamed) {
  testing::expect_error(ErrorKind::empty, "messages", [] { apply_chat_template({}, "chatml", true); });
  testing::expect_error(ErrorKind::value, "smollm2", [] {
    apply_chat_template({{"user", ""}}, "smolm2", true);
  });
  const auto read = [](const char* text) { return messages_from_json(Json::parse(text), "line 1"); };
  EXPECT_EQ(read(R"([{"role": "user", "content": "x"}])"), (Messages{{"user", "x"}}));
  for (const char* text : {"{}", "[1]", R"([{"role": "user"}])", R"([{"role": 1, "content": ""}])"})
    testing::expect_error(ErrorKind::type, "line 1", [&] { read(text); });
  testing::expect_error(ErrorKind::value, "'name'",
                        [&] { read(R"([{"role": "user", "content": "", "name": "x"}])"); });
}

TEST(ChatTemplate, UnknownTemplatesHaveNoFamily) {
  EXPECT_EQ(family_of_template("{{ messages }}"), "");
}

}  // namespace
}  // namespace plaudit
