// Value-augmented sampling on sentilang: a table of values of a frozen policy, steering by it, and best-of-n
// beside it.
#include <ATen/ATen.h>

#include "plaudit/claim/sentilang_measures.h"
#include "plaudit/claim/table_draws.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/masked.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/eval/sequence_kl.h"
#include "plaudit/objective/advantage.h"
#include "plaudit/plan/best_of_n.h"
#include "plaudit/plan/value_augmented.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

// The value of a state: how positive the answer is so far (clipped to +-12), how long, the class of its last
// word, whether it has ended.
struct ValueTable {
  at::Tensor values;  // [cells]
};

struct ValueTableOptions {
  std::string policy = "reference", into = "values";
  std::string reward = "gold";  // or brevity
  int64_t samples = 4000, sweeps = 30;
  double lambda = 0.95;
};

struct SteerOptions {
  std::string policy = "reference";
  std::vector<std::string> values = {"values"};
  std::vector<double> betas = {10};
  int64_t candidates = 15, prompts = 1000;
};

struct BestOfNOptions {
  std::string policy = "reference";
  int64_t n = 16, prompts = 1000;
};

}  // namespace

template <>
void describe(OptionTable<ValueTableOptions>& t) {
  using O = ValueTableOptions;
  t.field("policy", &O::policy, "whose values are fitted");
  t.field("into", &O::into, "name of the values");
  t.field("reward", &O::reward, "of a finished answer: gold, or 1 - length/12", one_of({"gold", "brevity"}));
  t.field("samples", &O::samples, "answers behind the values", at_least(1));
  t.field("sweeps", &O::sweeps, "over all samples", at_least(1));
  t.field("lambda", &O::lambda, "of TD(lambda)", between(0, 1));
}

template <>
void describe(OptionTable<SteerOptions>& t) {
  using O = SteerOptions;
  t.field("policy", &O::policy, "the frozen policy");
  t.field("values", &O::values, "names of tables of values");
  t.field("betas", &O::betas, "weight of each");
  t.field("candidates", &O::candidates, "likeliest words whose value is asked for",
          between(1, static_cast<double>(sentilang::vocabulary)));
  t.field("prompts", &O::prompts, "answers behind the measures", at_least(1));
}

template <>
void describe(OptionTable<BestOfNOptions>& t) {
  t.field("policy", &BestOfNOptions::policy, "who answers");
  t.field("n", &BestOfNOptions::n, "answers to each prompt, the one of highest gold reward is taken",
          at_least(1));
  t.field("prompts", &BestOfNOptions::prompts, "how many", at_least(1));
}

namespace {

void save_value_table(const ValueTable& values, const std::string& folder) {
  save_safetensors(folder + "/values.safetensors", {{"values", values.values}});
}
ValueTable load_value_table(const std::string& folder) {
  return {load_safetensors(folder + "/values.safetensors").tensors.at("values")};
}
PLAUDIT_ARTEFACT(ValueTable, "table of values", &save_value_table, &load_value_table);

constexpr int64_t kMostWords = sentilang::answer_length;  // words, and the largest score
constexpr int64_t kCells = (2 * kMostWords + 1) * (kMostWords + 1) * sentilang::classes * 2;

// Cells of states after `position` words with that score and last word; all of one shape.
at::Tensor cell_of(const at::Tensor& score, const at::Tensor& position, const at::Tensor& last_class,
                   const at::Tensor& ended) {
  const auto place =
      (score.clamp(-kMostWords, kMostWords) + kMostWords).to(at::kLong) * (kMostWords + 1) + position;
  return (place * sentilang::classes + last_class) * 2 + ended.to(at::kLong);
}

// The cells of the states after 0..12 words of each line, [N,13].
at::Tensor line_cells(const SentilangLines& lines) {
  const int64_t n = lines.size();
  const auto words = lines.answers();
  const auto score = keep_valid(sentilang::weights().index({words}), lines.mask()).cumsum(1);
  const auto before = at::zeros({n, 1}, at::kDouble);
  const auto first_class = at::full({n, 1}, static_cast<int64_t>(sentilang::neutral), at::kLong);
  return cell_of(at::cat({before, score}, 1),
                 at::arange(kMostWords + 1, at::kLong).expand({n, kMostWords + 1}),
                 at::cat({first_class, sentilang::word_classes().index({words})}, 1),
                 at::cat({before.to(at::kBool), words.eq(sentilang::eos)}, 1));
}

at::Tensor final_rewards(const std::string& kind, const SentilangLines& lines) {
  return kind == "gold" ? gold_rewards(lines) : 1 - lines.words().to(at::kDouble) / kMostWords;
}

// Each cell becomes the mean of its TD(lambda) targets, sweep after sweep; a cell that is never visited keeps
// 1/2.
void run_value_table(const ValueTableOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  auto prompts = context.rng("prompts"), answers = context.rng("answers");
  const auto lines = sample_answers(context.get<NgramPolicy>(o.policy).log_probs(),
                                    sentilang_prompts(o.samples, prompts), answers);
  const auto states = line_cells(lines);
  const auto mask = at::arange(kMostWords + 1, at::kLong).unsqueeze(0) <= lines.lengths.unsqueeze(1);
  const auto rewards =
      at::zeros(states.sizes(), at::kDouble)
          .scatter(1, lines.lengths.unsqueeze(1), final_rewards(o.reward, lines).unsqueeze(1));
  const auto visited = states.masked_select(mask);
  const auto counts = at::bincount(visited, {}, kCells).to(at::kDouble);
  auto values = at::full({kCells}, 0.5, at::kDouble);
  for (int64_t sweep = 0; sweep < o.sweeps; ++sweep) {
    const auto now = values.index_select(0, states.reshape({-1})).view(states.sizes());
    const auto targets = td_lambda_returns(rewards, now, mask, {.gamma = 1, .lam = o.lambda});
    const auto sums = at::zeros({kCells}, at::kDouble).index_add(0, visited, targets.masked_select(mask));
    values = at::where(counts.gt(0), sums / counts.clamp_min(1), values);
  }
  context.put(o.into, ValueTable{values});
}

void check_steer(const SteerOptions& o) {
  if (o.values.empty() || o.values.size() != o.betas.size())
    fail(ErrorKind::shape, "betas",
         fmt::format("needs one number for each of {} values, got {}", o.values.size(), o.betas.size()));
}

// Writes answers word by word under the augmented law.
class Steering {
 public:
  Steering(const SteerOptions& options, const at::Tensor& logits, std::vector<at::Tensor> values)
      : options_(options), logits_(logits), values_(std::move(values)) {}

  struct Answers {
    SentilangLines lines;
    double kl = 0;      // sampled, nats per answer
    int64_t calls = 0;  // words that the policy was asked for
  };

  // With `augment` off: the policy as it is, from the same random numbers.
  Answers write(const at::Tensor& prompts, Rng rng, bool augment) const {
    const int64_t n = prompts.size(0);
    SentilangLines lines{at::cat({prompts, at::zeros({n, kMostWords}, at::kLong)}, 1),
                         at::full({n}, kMostWords, at::kLong), at::zeros({n}, at::kLong)};
    auto score = at::zeros({n}, at::kDouble), running = at::ones({n}, at::kBool);
    std::vector<at::Tensor> logps, ref_logps;
    int64_t calls = 0;
    for (int64_t t = 0; t < kMostWords; ++t) {
      const auto base = rows_at(lines, t);
      calls += running.sum().item<int64_t>();
      const auto law = augment ? augmented(base, score, t) : base.softmax(1);
      const auto drawn = draw_rows(law, rng);
      const auto word = at::where(running, drawn, at::zeros_like(drawn));
      lines.answers().select(1, t).copy_(word);
      logps.push_back(law.gather(1, drawn.unsqueeze(1)).log().squeeze(1));
      ref_logps.push_back(base.log_softmax(1).gather(1, drawn.unsqueeze(1)).squeeze(1));
      score = score + sentilang::weights().index({word});
      const auto ends = running.logical_and(word.eq(sentilang::eos));
      lines.lengths = at::where(ends, at::full_like(lines.lengths, t + 1), lines.lengths);
      running = running.logical_and(ends.logical_not());
    }
    const double kl =
        sequence_kl(at::stack(logps, 1), at::stack(ref_logps, 1), lines.mask()).kl.item<double>();
    return {lines, kl, calls};
  }

 private:
  // The logits of word t of every line, [N,43].
  at::Tensor rows_at(const SentilangLines& lines, int64_t t) const {
    const auto previous = lines.tokens.select(1, sentilang::prompt_length + t - 1);
    const auto before =
        sentilang::word_classes().index({lines.tokens.select(1, sentilang::prompt_length + t - 2)});
    return logits_.index_select(0, previous * sentilang::classes + before);
  }

  at::Tensor augmented(const at::Tensor& base, const at::Tensor& score, int64_t t) const {
    const auto ids = top_k_candidates(base, options_.candidates);
    const auto next_score = score.unsqueeze(1) + sentilang::weights().index({ids});
    const auto states = cell_of(next_score, at::full_like(ids, t + 1), sentilang::word_classes().index({ids}),
                                ids.eq(sentilang::eos));
    std::vector<at::Tensor> found;
    for (const auto& values : values_) found.push_back(values.index({states}));
    const auto total = compose_values(at::stack(found), at::tensor(options_.betas, at::kDouble));
    return value_augmented_logits(base, ids, total, 1).probs;
  }

  const SteerOptions& options_;
  at::Tensor logits_;
  std::vector<at::Tensor> values_;
};

void run_steer(const SteerOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> values;
  for (const auto& name : o.values) values.push_back(context.get<ValueTable>(name).values);
  const Steering steering(o, context.get<NgramPolicy>(o.policy).logits(), std::move(values));
  auto stream = context.rng("prompts");
  const auto prompts = sentilang_prompts(o.prompts, stream);
  const auto [lines, kl, calls] = steering.write(prompts, context.rng("words"), true);
  const auto plain = steering.write(prompts, context.rng("words"), false).lines;
  auto& summary = context.summary();
  summary.metric("reward", gold_rewards(lines).mean().item<double>());
  summary.metric("kl", kl);
  summary.metric("length", lines.words().to(at::kDouble).mean().item<double>());
  summary.metric("written", lines.lengths.to(at::kDouble).mean().item<double>());
  summary.metric("policy_calls", static_cast<double>(calls) / static_cast<double>(o.prompts));
  summary.metric("same_as_base", lines.tokens.eq(plain.tokens).all(1).to(at::kDouble).mean().item<double>());
}

void run_best_of_n(const BestOfNOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  auto prompt_stream = context.rng("prompts"), answers = context.rng("answers");
  const auto prompts = sentilang_prompts(o.prompts, prompt_stream).repeat_interleave(o.n, 0);
  const auto lines = sample_answers(context.get<NgramPolicy>(o.policy).log_probs(), prompts, answers);
  const auto rewards = gold_rewards(lines).view({o.prompts, o.n});
  context.summary().metric("reward", best_of_k(rewards).best.mean().item<double>());
  context.summary().metric("policy_calls",
                           lines.lengths.sum().item<double>() / static_cast<double>(o.prompts));
}

PLAUDIT_STAGE(value_table, ValueTableOptions,
              {
                  .doc = "Fits a table of values of a frozen n-gram policy by TD(lambda).",
                  .reads = [](const ValueTableOptions& o) { return Names{o.policy}; },
                  .writes = [](const ValueTableOptions& o) { return Names{o.into}; },
                  .run = run_value_table,
              });

PLAUDIT_STAGE(steer, SteerOptions,
              {
                  .doc = "Answers of a frozen n-gram policy, steered by tables of values.",
                  .reads =
                      [](const SteerOptions& o) {
                        Names out = o.values;
                        out.push_back(o.policy);
                        return out;
                      },
                  .check = check_steer,
                  .run = run_steer,
              });

PLAUDIT_STAGE(best_answers, BestOfNOptions,
              {
                  .doc = "The best of n answers of an n-gram policy by gold reward.",
                  .reads = [](const BestOfNOptions& o) { return Names{o.policy}; },
                  .run = run_best_of_n,
              });

}  // namespace
}  // namespace plaudit
