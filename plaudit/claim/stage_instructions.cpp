// Instructions on sentilang that a program verifies: data for imitation, pairs, and how often they are met.
#include <ATen/ATen.h>

#include "plaudit/claim/instructions.h"
#include "plaudit/claim/sentilang_measures.h"
#include "plaudit/core/errors.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct InstructionCorpusOptions {
  int64_t drawn = 30000, lines = 6000;
  double wrong_share = 0.25;
  std::string into = "corpus";
};

struct InstructionPairsOptions {
  std::string policy = "reference", into = "pairs";
  int64_t prompts = 2000;
};

struct InstructionSuccessOptions {
  std::string policy = "tuned";
  int64_t prompts = 1500;
};

}  // namespace

template <>
void describe(OptionTable<InstructionCorpusOptions>& t) {
  using O = InstructionCorpusOptions;
  t.field("drawn", &O::drawn, "lines of the language, each with an instruction", at_least(1));
  t.field("lines", &O::lines, "the first of those that are kept", at_least(1));
  t.field("wrong_share", &O::wrong_share, "of lines that do not meet their instruction, how many are kept",
          between(0, 1));
  t.field("into", &O::into, "name of the lines");
}

template <>
void describe(OptionTable<InstructionPairsOptions>& t) {
  t.field("policy", &InstructionPairsOptions::policy, "who answers, twice per prompt");
  t.field("into", &InstructionPairsOptions::into, "name of the pairs");
  t.field("prompts", &InstructionPairsOptions::prompts, "how many", at_least(1));
}

template <>
void describe(OptionTable<InstructionSuccessOptions>& t) {
  t.field("policy", &InstructionSuccessOptions::policy, "who answers");
  t.field("prompts", &InstructionSuccessOptions::prompts, "of each instruction", at_least(1));
}

namespace {

at::Tensor draw_instructions(int64_t count, Rng rng) {
  return (rng.uniform_tensor({count}, at::kDouble) * instruction_count).to(at::kLong);
}

void run_instruction_corpus(const InstructionCorpusOptions& o, RunContext& context) {
  auto rng = context.rng("lines");
  auto lines = sentilang_corpus(o.drawn, {}, rng);
  lines.groups = draw_instructions(o.drawn, context.rng("instructions"));
  const auto met = instructions_met(lines);
  const auto lucky = context.rng("kept").uniform_tensor({o.drawn}, at::kDouble) < o.wrong_share;
  const auto kept = met.logical_or(lucky).nonzero().squeeze(1);
  if (kept.size(0) < o.lines)
    fail(ErrorKind::value, "lines",
         fmt::format("must be <= {}, as many as were kept, got {}", kept.size(0), o.lines));
  const auto out = lines.pick(kept.narrow(0, 0, o.lines));
  context.summary().metric("data_success", instructions_met(out).to(at::kDouble).mean().item<double>());
  context.put(o.into, out);
}

// Pairs of which exactly one answer meets the instruction.
void run_instruction_pairs(const InstructionPairsOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  const auto log_probs = context.get<NgramPolicy>(o.policy).log_probs();
  const auto groups = draw_instructions(o.prompts, context.rng("instructions"));
  auto prompt_stream = context.rng("prompts"), a = context.rng("first"), b = context.rng("second");
  const auto prompts = sentilang_prompts(o.prompts, prompt_stream);
  const auto first = sample_answers(log_probs, prompts, a, groups);
  const auto second = sample_answers(log_probs, prompts, b, groups);
  const auto met = instructions_met(first), other = instructions_met(second);
  const auto decided = met.ne(other).nonzero().squeeze(1);
  context.summary().metric(o.into, static_cast<double>(decided.size(0)));
  context.put(o.into,
              preferred_pairs(first.pick(decided), second.pick(decided), met.index_select(0, decided)));
}

void run_instruction_success(const InstructionSuccessOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  const auto log_probs = context.get<NgramPolicy>(o.policy).log_probs();
  double total = 0;
  for (int64_t k = 0; k < instruction_count; ++k) {
    auto prompts = context.rng("prompts").child(k), answers = context.rng("answers").child(k);
    const auto lines = sample_answers(log_probs, sentilang_prompts(o.prompts, prompts), answers,
                                      at::full({o.prompts}, k, at::kLong));
    const double met = instructions_met(lines).to(at::kDouble).mean().item<double>();
    context.summary().metric(fmt::format("success/{}", k), met);
    total += met / instruction_count;
  }
  context.summary().metric("success", total);
}

PLAUDIT_STAGE(instruction_corpus, InstructionCorpusOptions,
              {
                  .doc = "sentilang lines with instructions, most of which are met by chance alone.",
                  .writes = [](const InstructionCorpusOptions& o) { return Names{o.into}; },
                  .run = run_instruction_corpus,
              });

PLAUDIT_STAGE(instruction_pairs, InstructionPairsOptions,
              {
                  .doc = "Two answers to each instruction, of which exactly one meets it.",
                  .reads = [](const InstructionPairsOptions& o) { return Names{o.policy}; },
                  .writes = [](const InstructionPairsOptions& o) { return Names{o.into}; },
                  .run = run_instruction_pairs,
              });

PLAUDIT_STAGE(instruction_success, InstructionSuccessOptions,
              {
                  .doc = "How often an n-gram policy meets each instruction.",
                  .reads = [](const InstructionSuccessOptions& o) { return Names{o.policy}; },
                  .run = run_instruction_success,
              });

}  // namespace
}  // namespace plaudit
