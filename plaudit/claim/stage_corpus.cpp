// Stages that make sentilang lines and fit a policy to them.
#include <ATen/ATen.h>

#include "plaudit/claim/sentilang_measures.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/core/errors.h"
#include "plaudit/objective/inverse_q.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct CorpusOptions {
  int64_t lines = 8000;
  std::vector<double> moods = {0.3, 0.4, 0.3};
  std::string into = "corpus";
};

void check_corpus(const CorpusOptions& o) {
  if (o.moods.size() != 3)
    fail(ErrorKind::shape, "moods", fmt::format("needs three probabilities, got {}", o.moods.size()));
}

void run_corpus(const CorpusOptions& o, RunContext& context) {
  auto rng = context.rng();
  context.put(o.into, sentilang_corpus(o.lines, {o.moods[0], o.moods[1], o.moods[2]}, rng));
}

// Maximum likelihood, or inverse soft-Q-learning (`lam` > 0).
struct FitOptions {
  std::string lines = "corpus", policy = "reference";
  std::string held_out = "";
  std::string words = "line";  // or answer
  int64_t rank = 0, groups = 1;
  double lam = 0;
  TableTraining training = {.steps = 800,
                            .batch = 256,
                            .learning_rate = 0.1,
                            .schedule = "linear",
                            .warmup = 0.025,
                            .min_learning_rate = 0.1,
                            .draw = "replacement"};
  int64_t prompts = 1500;  // of the measures
};

}  // namespace

template <>
void describe(OptionTable<CorpusOptions>& t) {
  t.field("lines", &CorpusOptions::lines, "how many", at_least(1));
  t.field("moods", &CorpusOptions::moods, "probabilities of a negative, neutral and positive mood",
          between(0, 1));
  t.field("into", &CorpusOptions::into, "name of the lines");
}

template <>
void describe(OptionTable<FitOptions>& t) {
  t.field("lines", &FitOptions::lines, "the lines that are learnt");
  t.field("policy", &FitOptions::policy, "name of the policy");
  t.field("held_out", &FitOptions::held_out, "lines whose likelihood is measured; empty: none");
  t.field("words", &FitOptions::words, "what is learnt: all words behind BOS, or the answers",
          one_of({"line", "answer"}));
  t.field("rank", &FitOptions::rank, "of a table that is a product of two; 0: a free table", at_least(0));
  t.field("groups", &FitOptions::groups, "tables, one for each group of lines", at_least(1));
  t.field("lam", &FitOptions::lam, "weight of the squared soft-Q rewards; 0: maximum likelihood",
          at_least(0));
  t.include(&FitOptions::training);
  t.field("prompts", &FitOptions::prompts, "answers behind the measures", at_least(1));
}

namespace {

void check_fit(const FitOptions& o) {
  if (o.rank > 0 && o.groups > 1) fail(ErrorKind::value, "groups", "must be 1 with a rank");
  if (o.lam > 0 && o.words != "answer")
    fail(ErrorKind::value, "lam", "needs words: answer, whose end is known");
}

double answer_nll(const at::Tensor& log_probs, const SentilangLines& lines) {
  return -(answer_values(log_probs, lines).sum() / lines.mask().sum()).item<double>();
}

StepLoss likelihood_loss(const NgramPolicy& policy, const SentilangLines& lines, bool whole) {
  if (!whole) {
    const auto values = answer_values(policy.log_probs(), lines);
    return {-values.sum(), lines.mask().sum().item<double>(), {}};
  }
  const auto [values, mask] = line_values(policy.log_probs(), lines);
  return {-values.sum(), mask.sum().item<double>(), {}};
}

// In sums over the words, as the loop wants it.
StepLoss soft_q_loss(const NgramPolicy& policy, const SentilangLines& lines, double lam) {
  const auto mask = lines.mask();
  const auto logits = policy.logits()
                          .index_select(0, answer_rows(lines).reshape({-1}))
                          .view({lines.size(), sentilang::answer_length, sentilang::vocabulary});
  const auto loss = iq_td_mle_loss({logits, lines.answers(), mask, lines.ended()}, {.lam = lam}).loss;
  const auto words = mask.sum().item<double>();
  return {loss * words, words, {}};
}

void run_fit(const FitOptions& o, RunContext& context) {
  const auto& lines = context.get<SentilangLines>(o.lines);
  const auto rng = context.rng();
  auto policy =
      o.rank > 0 ? NgramPolicy::factored(o.rank, 0.3, rng.child("weights")) : NgramPolicy::table(o.groups);
  const auto measure = [&](const std::string& suffix) {
    const at::NoGradGuard no_grad;
    const auto& held_out = context.get<SentilangLines>(o.held_out);
    const auto log_probs = policy.log_probs();
    context.summary().metric("held_out_nll" + suffix, answer_nll(log_probs, held_out));
    context.summary().metric("training_nll" + suffix, answer_nll(log_probs, lines));
  };
  train_table(
      "fit", policy.parameters(), lines.size(), o.training, rng,
      [&](const std::vector<int64_t>& examples) {
        const auto batch = examples.empty() ? lines : lines.pick(index_tensor(examples));
        return o.lam > 0 ? soft_q_loss(policy, batch, o.lam)
                         : likelihood_loss(policy, batch, o.words == "line");
      },
      [&](int64_t step) {
        if (!o.held_out.empty()) measure(fmt::format("@{}", step));
      });
  if (!o.held_out.empty()) {
    measure("");
    auto stream = rng.child("prompts");
    const at::NoGradGuard no_grad;
    const auto logits = policy.logits();
    report_measures(measure_policy(logits, logits.log_softmax(1), sentilang_prompts(o.prompts, stream),
                                   rng.child("answers")),
                    "", context);
  }
  context.put(o.policy, std::move(policy));
}

PLAUDIT_STAGE(corpus, CorpusOptions,
              {
                  .doc = "Lines of sentilang, the test language.",
                  .writes = [](const CorpusOptions& o) { return Names{o.into}; },
                  .check = check_corpus,
                  .run = run_corpus,
              });

PLAUDIT_STAGE(fit, FitOptions,
              {
                  .doc = "Fits an n-gram policy to sentilang lines.",
                  .reads =
                      [](const FitOptions& o) {
                        return o.held_out.empty() ? Names{o.lines} : Names{o.lines, o.held_out};
                      },
                  .writes = [](const FitOptions& o) { return Names{o.policy}; },
                  .check = check_fit,
                  .run = run_fit,
              });

}  // namespace
}  // namespace plaudit
