#include "cli/policy_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plaudit/core/errors.h"
#include "plaudit/data/chat_template.h"
#include "plaudit/plan/value_steering.h"

namespace plaudit::cli {

void add_policy_flags(CLI::App& command, PolicyFlags& flags) {
  auto& s = flags.sampling;
  command
      .add_option("model", flags.model, "a model folder, a .gguf file, or a known name (plaudit list models)")
      ->required();
  command.add_option("--adapter", flags.adapter, "folder of a LoRA adapter, as peft and plaudit save it");
  command.add_option(
      "--family", flags.family,
      fmt::format("chat template: {}; default: the model's own", fmt::join(chat_families(), ", ")));
  command.add_option("--max-new-tokens", s.max_new_tokens, "longest answer")->capture_default_str();
  command.add_option("--temperature", s.temperature, "0: always the likeliest token")->capture_default_str();
  command.add_option("--top-k", s.top_k, "draw among the k likeliest tokens; 0: all")->capture_default_str();
  command.add_option("--top-p", s.top_p, "draw among the likeliest tokens of this total probability")
      ->capture_default_str();
  command
      .add_option("--min-p", s.min_p, "leave out tokens below this share of the likeliest one's probability")
      ->capture_default_str();
  command.add_option("--stop", s.stop, "text that ends an answer (may be repeated)");
  command.add_option("--seed", flags.seed, "the same seed gives the same answers")->capture_default_str();
  command.add_option("--precision", flags.precision, "f32, bf16, or auto: bf16 where the processor has it")
      ->capture_default_str();
}

void add_steering_flags(CLI::App& command, SteeringFlags& flags) {
  auto* value =
      command
          .add_option("--value", flags.values,
                      "folder of a value model (train, objective: value) to steer by")
          // An empty name would mean no steering.
          ->check([](const std::string& folder) { return folder.empty() ? "names no folder" : ""; });
  command
      .add_option("--beta", flags.beta,
                  "with --value: how hard, in standard deviations of the reward; one number per objective")
      ->delimiter(',')
      ->capture_default_str()
      ->needs(value);
  command.add_option("--candidates", flags.candidates, "with --value: tokens that are valued at each step")
      ->capture_default_str()
      ->needs(value);
}

std::vector<std::string> names_of(const std::vector<SuiteFlags>& suites) {
  std::vector<std::string> out;
  for (const auto& suite : suites) out.push_back(suite.name);
  return out;
}

void refuse_unread(const CLI::App& command, const std::vector<SuiteFlags>& suites, const std::string& name,
                   const std::vector<std::string>& common) {
  const auto suite = std::find_if(suites.begin(), suites.end(),
                                  [&](const SuiteFlags& candidate) { return candidate.name == name; });
  auto read = suite->flags;
  read.insert(read.end(), common.begin(), common.end());
  for (const auto* option : command.get_options()) {
    const auto flag = option->get_name();
    if (option->count() > 0 && !option->get_positional() &&
        std::find(read.begin(), read.end(), flag) == read.end())
      fail(ErrorKind::value, flag,
           fmt::format("is not used by suite {}, which reads: {}", name, fmt::join(read, ", ")));
  }
}

std::shared_ptr<const Steering> load_steering(const SteeringFlags& flags, const LanguageModel& model) {
  if (flags.values.empty()) return nullptr;
  return std::make_shared<ValueSteering>(ValueModel::load(flags.values), model, flags.beta, flags.candidates);
}

LanguageModel load_policy(const PolicyFlags& flags) {
  auto model = LanguageModel::load(flags.model);
  if (!flags.adapter.empty()) model.transformer->load_adapter(flags.adapter);
  if (!flags.family.empty()) model.chat_family = flags.family;
  return model;
}

std::vector<int64_t> prompt_ids(const LanguageModel& model, const Prompt& prompt) {
  if (prompt.is_chat() && model.chat_family.empty() && model.tokenizer->chat_template().empty())
    fail(ErrorKind::value, "--family",
         fmt::format("is needed to chat with {}, which has no chat template; expected one of: {}",
                     model.source, fmt::join(chat_families(), ", ")));
  return model.tokenizer->encode_prompt(prompt, model.chat_family);
}

}  // namespace plaudit::cli
