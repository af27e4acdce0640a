// A world of a few prompts and answers whose best policy is known in closed form: does a preference loss
// reach it?
#include <ATen/ATen.h>

#include "plaudit/claim/table_draws.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/objective/kl_policy.h"
#include "plaudit/run/stage.h"
#include "plaudit/train/preference_losses.h"

namespace plaudit {
namespace {

struct AnswerTableOptions {
  int64_t prompts = 4, answers = 8;
  double target_beta = 0.5;
  std::string loss = "dpo";
  PreferenceLossOptions settings;
  bool reversed = false, without_reference = false;
  TableTraining training = {.steps = 2000, .batch = 0, .learning_rate = 0.05, .schedule = "cosine"};
};

}  // namespace

template <>
void describe(OptionTable<AnswerTableOptions>& t) {
  t.field("prompts", &AnswerTableOptions::prompts, "how many", at_least(1));
  t.field("answers", &AnswerTableOptions::answers, "to each prompt", at_least(2));
  t.field("target_beta", &AnswerTableOptions::target_beta, "of the policy that should be reached",
          greater_than(0));
  t.field("loss", &AnswerTableOptions::loss, "which", one_of(preference_loss_names()));
  t.include(&AnswerTableOptions::settings);
  t.field("reversed", &AnswerTableOptions::reversed, "prefer the worse answer");
  t.field("without_reference", &AnswerTableOptions::without_reference, "leave the reference out of the loss");
  t.include(&AnswerTableOptions::training);
}

namespace {

// All ordered pairs of different answers of every prompt, with the probability of drawing each.
struct AllPairs {
  at::Tensor first, second;  // flat numbers of answers, [P]
  at::Tensor weight;         // mu_i mu_j
};

AllPairs all_pairs(const at::Tensor& law) {
  const int64_t prompts = law.size(0), answers = law.size(1);
  std::vector<int64_t> first, second;
  for (int64_t x = 0; x < prompts; ++x)
    for (int64_t i = 0; i < answers; ++i)
      for (int64_t j = 0; j < answers; ++j)
        if (i != j) {
          first.push_back(x * answers + i);
          second.push_back(x * answers + j);
        }
  AllPairs out{index_tensor(first), index_tensor(second), {}};
  const auto flat = law.reshape({-1});
  out.weight = flat.index_select(0, out.first) * flat.index_select(0, out.second);
  return out;
}

void run_answer_table(const AnswerTableOptions& o, RunContext& context) {
  auto rng = context.rng("world");
  const auto rewards = rng.normal_tensor({o.prompts, o.answers}, at::kDouble);
  const auto ref_logps = dirichlet2({o.prompts, o.answers}, rng).log();
  const auto pairs = all_pairs(dirichlet2({o.prompts, o.answers}, rng));
  const auto at_flat = [](const at::Tensor& table, const at::Tensor& index) {
    return table.reshape({-1}).index_select(0, index);
  };
  const auto preferred = (at_flat(rewards, pairs.first) - at_flat(rewards, pairs.second)).sigmoid();
  const auto reference = o.without_reference ? at::zeros_like(ref_logps) : ref_logps;
  const auto ones = at::ones_like(preferred);
  const auto& loss = find_preference_loss(o.loss, o.settings);
  const auto logits = ref_logps.clone().set_requires_grad(true);

  train_table("answer_table", {{"logits", logits}}, 1, o.training, context.rng("order"),
              [&](const std::vector<int64_t>&) {
                const auto logps = logits.log_softmax(1);
                const auto losses = [&](const at::Tensor& chosen, const at::Tensor& rejected) {
                  const PreferenceTerms terms{{at_flat(logps, chosen), at_flat(logps, rejected),
                                               at_flat(reference, chosen), at_flat(reference, rejected)},
                                              ones,
                                              ones};
                  return loss.compute(terms, o.settings).losses;
                };
                const auto right = losses(pairs.first, pairs.second),
                           wrong = losses(pairs.second, pairs.first);
                const auto mixed = o.reversed ? preferred * wrong + (1 - preferred) * right
                                              : preferred * right + (1 - preferred) * wrong;
                return StepLoss{(pairs.weight * mixed).sum(), 1, {}};
              });
  const auto target = kl_optimal_policy(ref_logps, rewards, o.target_beta).logps;
  const auto learnt = logits.detach().log_softmax(1);
  context.summary().metric("tv", total_variation(learnt, target).max().item<double>());
  context.summary().metric("reference_tv", total_variation(ref_logps, target).min().item<double>());
}

PLAUDIT_STAGE(answer_table, AnswerTableOptions,
              {
                  .doc = "Exact preferences over a table of answers: the distance to the best policy.",
                  .run = run_answer_table,
              });

}  // namespace
}  // namespace plaudit
