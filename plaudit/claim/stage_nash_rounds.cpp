// Rounds of direct Nash optimisation on sentilang as they are trained in practice: samples and a teacher's
// answer are scored, clear pairs train the next policy with the newest one as reference.
#include <ATen/ATen.h>

#include "plaudit/claim/sentilang_measures.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/data/selection.h"
#include "plaudit/objective/preference_dpo.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct NashRoundsOptions {
  std::string from = "reference", policy = "tuned";
  int64_t rounds = 3, prompts = 1000, samples = 5;
  double beta = 0.1;
  int64_t judged_prompts = 1500;
  TableTraining training = {.steps = 150, .batch = 128, .learning_rate = 0.03};
};

}  // namespace

template <>
void describe(OptionTable<NashRoundsOptions>& t) {
  using O = NashRoundsOptions;
  t.field("from", &O::from, "the policy of the first round");
  t.field("policy", &O::policy, "name of the last one");
  t.field("rounds", &O::rounds, "how many", at_least(1));
  t.field("prompts", &O::prompts, "of a round", at_least(1));
  t.field("samples", &O::samples, "answers of the policy to each prompt, beside the teacher's", at_least(1));
  t.field("beta", &O::beta, "of DPO", greater_than(0));
  t.field("judged_prompts", &O::judged_prompts, "on which rounds are compared", at_least(1));
  t.include(&O::training);
}

namespace {

constexpr double kTopScore = 6;
constexpr Moods kTeacherMoods = {0, 0, 1};

SentilangLines joined_lines(const std::vector<SentilangLines>& parts) {
  std::vector<at::Tensor> tokens, lengths, groups;
  for (const auto& part : parts) {
    tokens.push_back(part.tokens);
    lengths.push_back(part.lengths);
    groups.push_back(part.groups);
  }
  return {at::cat(tokens), at::cat(lengths), at::cat(groups)};
}

struct RoundPairs {
  SentilangPairs pairs;
  int64_t student_over_teacher = 0, teacher_over_student = 0;
};

// Answer k of prompt i is line k * prompts + i; the teacher's is the last.
RoundPairs pairs_of_round(const NashRoundsOptions& o, const at::Tensor& log_probs, Rng rng) {
  auto prompt_stream = rng.child("prompts"), teacher_stream = rng.child("teacher");
  const auto prompts = sentilang_prompts(o.prompts, prompt_stream);
  std::vector<SentilangLines> parts;
  for (int64_t k = 0; k < o.samples; ++k) {
    auto stream = rng.child("samples").child(k);
    parts.push_back(sample_answers(log_probs, prompts, stream));
  }
  parts.push_back(sentilang_answers(prompts, kTeacherMoods, teacher_stream));
  const auto all = joined_lines(parts);
  const auto scores =
      (kTopScore * gold_rewards(all)).round().view({o.samples + 1, o.prompts}).t().contiguous();
  auto teacher = at::zeros({o.samples + 1}, at::kBool);
  teacher[o.samples].fill_(true);
  RoundPairs out;
  std::vector<int64_t> chosen, rejected;
  for (int64_t i = 0; i < o.prompts; ++i) {
    for (const auto& [better, worse] : margin_pairs(scores[i], teacher)) {
      chosen.push_back(better * o.prompts + i);
      rejected.push_back(worse * o.prompts + i);
      out.student_over_teacher += worse == o.samples;
      out.teacher_over_student += better == o.samples;
    }
  }
  out.pairs = {all.pick(index_tensor(chosen)), all.pick(index_tensor(rejected))};
  return out;
}

void train_nash_round(const NashRoundsOptions& o, const NgramPolicy& policy, const at::Tensor& ref_log_probs,
                      const SentilangPairs& pairs, const Rng& rng) {
  const auto sums = [](const at::Tensor& table, const SentilangLines& lines) {
    return answer_values(table, lines).sum(1);
  };
  const auto ref_chosen = sums(ref_log_probs, pairs.chosen),
             ref_rejected = sums(ref_log_probs, pairs.rejected);
  train_table("nash_rounds", policy.parameters(), pairs.chosen.size(), o.training, rng,
              [&](const std::vector<int64_t>& examples) {
                const auto index = index_tensor(examples);
                const auto table = policy.log_probs();
                return mean_loss(
                    dpo_loss({sums(table, pairs.chosen.pick(index)), sums(table, pairs.rejected.pick(index)),
                              ref_chosen.index_select(0, index), ref_rejected.index_select(0, index)},
                             {.beta = o.beta})
                        .losses);
              });
}

// How often an answer of the new policy has the higher gold reward; ties count half.
double win_rate(const at::Tensor& log_probs, const at::Tensor& former, int64_t prompts, const Rng& rng) {
  auto prompt_stream = rng.child("prompts"), a = rng.child("new"), b = rng.child("former");
  const auto asked = sentilang_prompts(prompts, prompt_stream);
  const auto difference =
      gold_rewards(sample_answers(log_probs, asked, a)) - gold_rewards(sample_answers(former, asked, b));
  return ((difference.sign() + 1) / 2).mean().item<double>();
}

void run_nash_rounds(const NashRoundsOptions& o, RunContext& context) {
  const auto policy = context.get<NgramPolicy>(o.from).clone();
  const auto first = policy.log_probs().detach();
  const auto measure = [&](int64_t round, const at::Tensor& logits) {
    auto prompts = context.rng("measure").child(round);
    report_measures(
        measure_policy(logits, first, sentilang_prompts(o.judged_prompts, prompts), prompts.child("answers")),
        fmt::format("@{}", round), context);
  };
  measure(0, policy.logits().detach());
  for (int64_t round = 1; round <= o.rounds; ++round) {
    const auto rng = context.rng("rounds").child(round);
    const auto former = policy.log_probs().detach();
    const auto found = pairs_of_round(o, former, rng.child("pairs"));
    train_nash_round(o, policy, former, found.pairs, rng.child("order"));
    auto& summary = context.summary();
    summary.metric(fmt::format("win_rate@{}", round),
                   win_rate(policy.log_probs().detach(), former, o.judged_prompts, rng.child("judge")));
    summary.metric(fmt::format("student_pairs@{}", round), static_cast<double>(found.student_over_teacher));
    summary.metric(fmt::format("teacher_pairs@{}", round), static_cast<double>(found.teacher_over_student));
    measure(round, policy.logits().detach());
  }
  context.put(o.policy, policy);
}

PLAUDIT_STAGE(nash_rounds, NashRoundsOptions,
              {
                  .doc = "Rounds of DPO on sentilang, a teacher's answers beside the policy's, the newest "
                         "policy as reference.",
                  .reads = [](const NashRoundsOptions& o) { return Names{o.from}; },
                  .writes = [](const NashRoundsOptions& o) { return Names{o.policy}; },
                  .run = run_nash_rounds,
              });

}  // namespace
}  // namespace plaudit
