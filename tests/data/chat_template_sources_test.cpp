#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/data/chat_template.h"
#include "plaudit/data/jinja.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using Chat = std::vector<Message>;

Json variables(const Chat& chat, bool add_generation_prompt) {
  Json list = Json::array();
  for (const auto& message : chat) list.push_back({{"role", message.role}, {"content", message.content}});
  return {{"messages", list}, {"add_generation_prompt", add_generation_prompt}};
}

TEST(ChatTemplateSource, RendersWhatTheFamilyRenders) {
  const std::vector<Chat> chats = {
      {{"user", "Hi"}},
      {{"system", " Be brief. "}, {"user", " Hi \n"}},
      {{"user", "a"}, {"assistant", " b "}, {"user", "é {{ x }} <|im_end|>"}},
  };
  for (const auto& family : chat_families()) {
    const auto source = chat_template_source(family);
    for (const auto& chat : chats) {
      for (const bool prompt : {false, true})
        EXPECT_EQ(render_jinja(source, variables(chat, prompt)), apply_chat_template(chat, family, prompt))
            << family;
    }
  }
}

TEST(ChatTemplateSource, GemmaRefusesTurnsOutOfOrder) {
  const auto source = chat_template_source("gemma");
  const Chat chat = {{"user", "a"}, {"user", "b"}};
  testing::expect_error(ErrorKind::value, "alternate", [&] { render_jinja(source, variables(chat, true)); });
}

TEST(ChatTemplateSource, AnUnknownFamilyIsRefused) {
  testing::expect_error(ErrorKind::value, "family", [] { chat_template_source("gema"); });
}

}  // namespace
}  // namespace plaudit
