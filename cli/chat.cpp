#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/policy_flags.h"
#include "plaudit/core/errors.h"
#include "plaudit/data/direction_prompt.h"

namespace plaudit::cli {
namespace {

struct ChatFlags {
  PolicyFlags policy;
  SteeringFlags steering;
  std::string message, system;
  std::vector<double> direction;
};

// Prints an answer while it grows, but nothing that may turn out to be part of a stop string.
class LivePrinter {
 public:
  LivePrinter(std::shared_ptr<const Tokenizer> tokenizer, const std::vector<std::string>& stop)
      : decoder_(std::move(tokenizer)), stop_(stop) {}

  void push(int64_t id) {
    text_ += decoder_.push(id);
    auto end = text_.size() - held_back();
    for (const auto& stop : stop_) end = std::min(end, text_.find(stop));
    print(text_, end);
  }

  void finish(const std::string& whole) {
    print(whole, whole.size());
    fmt::print("\n");
  }

 private:
  // How much of the end is the beginning of a stop string.
  size_t held_back() const {
    size_t most = 0;
    for (const auto& stop : stop_) {
      for (size_t n = std::min(stop.size(), text_.size()); n > most; --n)
        if (text_.ends_with(std::string_view(stop).substr(0, n))) most = n;
    }
    return most;
  }

  void print(const std::string& text, size_t end) {
    if (end <= printed_) return;
    fmt::print("{}", text.substr(printed_, end - printed_));
    std::fflush(stdout);
    printed_ = end;
  }

  StreamDecoder decoder_;
  const std::vector<std::string>& stop_;
  std::string text_;
  size_t printed_ = 0;
};

// A conversation with a model; prints answers as they come.
class Conversation {
 public:
  explicit Conversation(const ChatFlags& flags)
      : flags_(flags), model_(load_policy(flags.policy)), rng_(flags.policy.seed, "chat") {
    reset();
    // A model without a template is refused before the first message, and before its weights are packed.
    prompt_ids(model_, {"", {{"user", "?"}}});
    generator_ = std::make_unique<Generator>(model_, flags.policy.precision, true,
                                             load_steering(flags.steering, model_));
  }

  void reset() {
    messages_.clear();
    if (!flags_.system.empty()) messages_.push_back({"system", flags_.system});
  }

  // Answers one message. When the model refuses, e.g. because its context is full, the message is forgotten.
  void say(const std::string& text) {
    auto messages = messages_;
    messages.push_back({"user", text});
    const auto& sampling = flags_.policy.sampling;
    LivePrinter printer(model_.tokenizer, sampling.stop);
    Prompt prompt{"", messages};
    if (!flags_.direction.empty()) prompt = with_direction(prompt, flags_.direction);
    const auto answers =
        generator_->generate({prompt_ids(model_, prompt)}, sampling, rng_.child(turn_++),
                             {.on_token = [&](int64_t, int64_t, int64_t id) { printer.push(id); }});
    printer.finish(answers[0][0].text);
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
  add_steering_flags(*command, flags->steering);
  const auto* asked = command->add_option("--message", flags->message, "ask this alone and leave");
  command->add_option("--system", flags->system, "system message");
  command
      ->add_option(
          "--direction", flags->direction,
          "how much each objective shall count, of length 1, e.g. 0.8,0.6; for a policy that was trained "
          "with directions in its prompts (recipes/52-dpa.yaml)")
      ->delimiter(',');
  command->callback([flags, asked] {
    if (!flags->direction.empty()) check_direction("--direction", flags->direction);
    if (asked->count() > 0 && flags->message.empty()) fail(ErrorKind::empty, "--message", "is empty");
    Conversation conversation(*flags);
    if (flags->message.empty())
      talk(conversation);
    else
      conversation.say(flags->message);
  });
}

}  // namespace plaudit::cli
