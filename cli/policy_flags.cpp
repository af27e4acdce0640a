#include "cli/policy_flags.h"

namespace plaudit::cli {

void add_policy_flags(CLI::App& command, PolicyFlags& flags) {
  auto& s = flags.sampling;
  command
      .add_option("model", flags.model, "a model folder, a .gguf file, or a known name (plaudit list models)")
      ->required();
  command.add_option("--adapter", flags.adapter, "folder of a LoRA adapter, as peft and plaudit save it");
  command.add_option("--family", flags.family, "chat template: chatml, smollm2, qwen2, llama3, gemma");
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

LanguageModel load_policy(const PolicyFlags& flags) {
  auto model = LanguageModel::load(flags.model);
  if (!flags.adapter.empty()) model.transformer->load_adapter(flags.adapter);
  if (!flags.family.empty()) model.chat_family = flags.family;
  return model;
}

}  // namespace plaudit::cli
