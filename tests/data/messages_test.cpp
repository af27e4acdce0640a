#include "plaudit/data/messages.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

TEST(MessagesFromJson, RolesAndContentParts) {
  const auto json = Json::parse(R"([{"role": "system", "content": "s"}, {"from": "human", "value": "u"},
    {"role": "model", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}])");
  const std::vector<Message> expected{{"system", "s"}, {"user", "u"}, {"assistant", "ab"}};
  EXPECT_EQ(read_messages(json, "messages"), expected);
  EXPECT_TRUE(looks_like_messages(json));
}

TEST(MessagesFromJson, NamesTheColumnAndTheRole) {
  try {
    read_messages(Json::parse(R"([{"role": "tool", "content": "x"}])"), "chat");
    FAIL();
  } catch (const BadRecord& bad) {
    EXPECT_EQ(bad.reason, "'chat' has a message with an unknown role");
    EXPECT_EQ(bad.detail, "tool, expected system, user, assistant");
  }
  EXPECT_FALSE(looks_like_messages(Json::parse(R"(["x"])")));
  EXPECT_FALSE(looks_like_messages(Json::parse("[]")));
}

}  // namespace
}  // namespace plaudit
