#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/policy_flags.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/data/reader.h"

namespace plaudit::cli {
namespace {

struct SampleFlags {
  PolicyFlags policy;
  std::string prompts, out;
  bool chat = false;
};

Json json_of_answer(const Completion& answer) {
  return {{"response", answer.text}, {"finish", answer.finish}, {"ids", answer.ids}, {"logps", answer.logps}};
}

void report_progress(int64_t done, int64_t total) {
  if (done % 16 == 0 || done == total)
    fmt::print(stderr, "\r{} of {} answers{}", done, total, done == total ? "\n" : "");
}

// The readers look at the start of a file before they read it, which a pipe does not allow: its bytes become
// a file in memory that takes the place of standard input.
std::string standard_input_as_file() {
  std::string bytes(1 << 16, '\0');
  const int file = memfd_create("stdin", 0);
  ssize_t count = 0;
  while (file >= 0 && (count = read(STDIN_FILENO, bytes.data(), bytes.size())) > 0) {
    if (write(file, bytes.data(), static_cast<size_t>(count)) != count) count = -1;
    if (count < 0) break;
  }
  if (file < 0 || count < 0 || dup2(file, STDIN_FILENO) < 0)
    fail(ErrorKind::io, "standard input", "cannot be read");
  return "/dev/stdin";
}

void sample(const SampleFlags& flags) {
  const auto records = read_prompts(flags.prompts == "-" ? standard_input_as_file() : flags.prompts,
                                    {.plain_prompts = flags.chat ? "chat" : "text"});
  const auto model = load_policy(flags.policy);
  std::vector<std::vector<int64_t>> prompts;
  for (const auto& record : records.records) prompts.push_back(prompt_ids(model, record.prompt));
  const Generator generator(model, flags.policy.precision);
  const auto start = std::chrono::steady_clock::now();
  const auto answers = generator.generate(prompts, flags.policy.sampling, Rng(flags.policy.seed, "sample"),
                                          {.on_done = report_progress});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  std::string lines;
  size_t tokens = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    auto record = json_of(records.records[i]);
    record["completions"] = Json::array();
    for (const auto& answer : answers[i]) {
      record["completions"].push_back(json_of_answer(answer));
      tokens += answer.ids.size();
    }
    lines += record.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  if (flags.out.empty())
    fmt::print("{}", lines);
  else
    write_file_atomic(flags.out, lines);
  fmt::print(stderr, "{}; {} tokens in {:.1f} s, {:.0f} tokens/s\n", summary(records.report), tokens,
             seconds.count(), static_cast<double>(tokens) / seconds.count());
}

}  // namespace

void add_sample(CLI::App& app, int&) {
  auto* command = app.add_subcommand("sample", "draw answers to prompts");
  command->footer(
      "Example:\n  echo '{\"prompt\": \"Name a colour.\"}' | plaudit sample smollm2-135m --prompts - --chat "
      "--n 4");
  auto flags = std::make_shared<SampleFlags>();
  flags->policy.sampling.max_new_tokens = 64;
  add_policy_flags(*command, flags->policy);
  command->add_option("--prompts", flags->prompts, "prompts: JSON lines or Parquet; - for standard input")
      ->required();
  command->add_flag("--chat", flags->chat, "take plain prompts as the user's message");
  command->add_option("--n", flags->policy.sampling.per_prompt, "answers per prompt")->capture_default_str();
  command->add_option("--batch", flags->policy.sampling.batch, "answers decoded side by side")
      ->capture_default_str();
  command->add_option("--out", flags->out, "JSON lines of prompt and completions; default: standard output");
  command->callback([flags] { sample(*flags); });
}

}  // namespace plaudit::cli
