#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <sstream>

#include "cli/commands.h"
#include "plaudit/core/errors.h"
#include "plaudit/data/chat_template.h"
#include "plaudit/data/tokenizer.h"
#include "plaudit/model/resolve.h"

namespace plaudit::cli {
namespace {

struct TokenizeOptions {
  std::string model, family;
  bool json = false, decode = false, chat = false, special = false, plain = false, skip = false;
};

Json parse_line(const std::string& line, size_t number) {
  Json value = Json::parse(line, nullptr, false);
  if (value.is_discarded()) fail(ErrorKind::type, fmt::format("line {}", number), "is not JSON");
  return value;
}

std::string text_of_line(const std::string& line, size_t number, bool json) {
  if (!json) return line;
  const Json value = parse_line(line, number);
  if (!value.is_string()) fail(ErrorKind::type, fmt::format("line {}", number), "must be a JSON text");
  return value.get<std::string>();
}

// Ids with blanks in between, or a JSON list of them.
std::vector<int64_t> ids_of_line(const std::string& line, size_t number, bool json, int64_t vocab_size) {
  std::vector<int64_t> ids;
  const auto where = fmt::format("line {}", number);
  const auto add = [&](int64_t id) {
    if (id < 0 || id >= vocab_size)
      fail(ErrorKind::value, where, fmt::format("an id must be in [0, {}), got {}", vocab_size, id));
    ids.push_back(id);
  };
  if (json) {
    for (const auto& value : parse_line(line, number)) {
      if (!value.is_number_integer()) fail(ErrorKind::type, where, "must be a JSON list of ids");
      add(value.get<int64_t>());
    }
    return ids;
  }
  std::istringstream words(line);
  for (int64_t id; words >> id;) add(id);
  if (!words.eof()) fail(ErrorKind::type, where, "must hold ids, got '" + line + "'");
  return ids;
}

std::string as_json(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string answer(const Tokenizer& tokenizer, const TokenizeOptions& options, const std::string& line,
                   size_t number) {
  if (options.decode) {
    const auto text =
        tokenizer.decode(ids_of_line(line, number, options.json, tokenizer.vocab_size()), options.skip);
    return options.json ? as_json(text) : text;
  }
  std::string text;
  std::vector<int64_t> ids;
  if (options.chat) {
    const auto messages = messages_from_json(parse_line(line, number), fmt::format("line {}", number));
    text = tokenizer.apply_chat(messages, true, options.family);
    ids = tokenizer.encode_prompt({.text = "", .messages = messages}, options.family);
    if (options.json) return Json({{"text", text}, {"ids", ids}}).dump();
  } else {
    text = text_of_line(line, number, options.json);
    ids = tokenizer.encode(text, {.add_special = options.special, .parse_special = !options.plain});
  }
  return options.json ? Json(ids).dump() : fmt::format("{}", fmt::join(ids, " "));
}

}  // namespace

void add_tokenize(CLI::App& app, int&) {
  auto* command = app.add_subcommand("tokenize", "token ids of the lines of standard input, and back");
  command->footer(
      "Example:\n  echo 'Hello world' | plaudit tokenize smollm2-135m\n  echo '[{\"role\": \"user\", "
      "\"content\": \"Hi\"}]' | plaudit tokenize smollm2-135m --chat --json");
  auto options = std::make_shared<TokenizeOptions>();
  command
      ->add_option("model", options->model,
                   "name (smollm2-135m), folder with tokenizer.json, tokenizer.json or .gguf file")
      ->required();
  command->add_flag("--json", options->json,
                    "lines are JSON texts (or lists of ids), and so are the answers");
  command->add_flag("--decode", options->decode, "lines are ids; print their text");
  command->add_flag("--skip-special", options->skip, "with --decode: leave special tokens out");
  command->add_flag("--special", options->special, "add BOS/EOS or [CLS]/[SEP] as the tokenizer says");
  command->add_flag("--plain", options->plain, "special tokens in the text are plain text");
  command->add_flag("--chat", options->chat,
                    "lines are JSON lists of {role, content}; render them with the chat template");
  command->add_option("--family", options->family,
                      "with --chat: chatml, smollm2, qwen2, llama3 or gemma instead of the model's own");
  command->callback([options] {
    const auto tokenizer = Tokenizer::load(resolve_model(options->model));
    std::string line;
    for (size_t number = 1; std::getline(std::cin, line); ++number)
      std::cout << answer(*tokenizer, *options, line, number) << "\n";
    std::cout.flush();
  });
}

}  // namespace plaudit::cli
