#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/policy_flags.h"
#include "plaudit/core/errors.h"

namespace plaudit::cli {
namespace {

struct ChatFlags {
  PolicyFlags policy;
  std::string message, system;
};

// A conversation with a model; prints answers as they come.
class Conversation {
 public:
  explicit Conversation(const ChatFlags& flags)
      : flags_(flags), model_(load_policy(flags.policy)), rng_(flags.policy.seed, "chat") {
    reset();
    // A model without a template is refused before the first message.
    model_.tokenizer->apply_chat({{"user", "?"}}, true, model_.chat_family);
    generator_ = std::make_unique<Generator>(model_, flags.policy.precision);
  }

  void reset() {
    messages_.clear();
    if (!flags_.system.empty()) messages_.push_back({"system", flags_.system});
  }

  // Answers one message. When the model refuses, e.g. because its context is full, the message is forgotten.
  void say(const std::string& text) {
    auto messages = messages_;
    messages.push_back({"user", text});
    const auto ids = model_.tokenizer->encode_prompt({"", messages}, model_.chat_family);
    StreamDecoder decoder(model_.tokenizer);
    const auto print = [&](int64_t, int64_t, int64_t id) {
      fmt::print("{}", decoder.push(id));
      std::fflush(stdout);
    };
    const auto answers =
        generator_->generate({ids}, flags_.policy.sampling, rng_.child(turn_++), {.on_token = print});
    fmt::print("{}\n", decoder.finish());
    messages.push_back({"assistant", answers[0][0].text});
    messages_ = std::move(messages);
  }

 private:
  const ChatFlags& flags_;
  LanguageModel model_;
  std::unique_ptr<Generator> generator_;
  Rng rng_;
  std::vector<Message> messages_;
  int64_t turn_ = 0;
};

void talk(Conversation& conversation) {
  const bool terminal = isatty(STDIN_FILENO);
  if (terminal) fmt::print("/reset forgets the conversation, /quit leaves.\n");
  std::string line;
  while (true) {
    if (terminal) fmt::print("> ");
    std::fflush(stdout);
    if (!std::getline(std::cin, line) || line == "/quit") return;
    if (line.empty()) continue;
    if (line == "/reset") {
      conversation.reset();
      continue;
    }
    try {
      conversation.say(line);
    } catch (const UserError& error) {
      fmt::print(stderr, "{}\n", message_of(error));
    }
  }
}

}  // namespace

void add_chat(CLI::App& app, int&) {
  auto* command = app.add_subcommand("chat", "talk to a model");
  command->footer("Example:\n  plaudit chat smollm2-135m --message \"What is the capital of France?\"");
  auto flags = std::make_shared<ChatFlags>();
  flags->policy.sampling = {.max_new_tokens = 512, .temperature = 0.2, .top_p = 0.9};
  add_policy_flags(*command, flags->policy);
  command->add_option("--message", flags->message, "ask this alone and leave");
  command->add_option("--system", flags->system, "system message");
  command->callback([flags] {
    Conversation conversation(*flags);
    if (flags->message.empty())
      talk(conversation);
    else
      conversation.say(flags->message);
  });
}

}  // namespace plaudit::cli
