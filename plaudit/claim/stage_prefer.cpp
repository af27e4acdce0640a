// Stages of preference learning on sentilang: pairs, token rewards from two contrasting models, training.
#include <ATen/ATen.h>

#include "plaudit/claim/sentilang_measures.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/masked.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/eval/auroc.h"
#include "plaudit/feedback/label_noise.h"
#include "plaudit/objective/treg.h"
#include "plaudit/run/option_use.h"
#include "plaudit/run/stage.h"
#include "plaudit/train/preference_losses.h"

namespace plaudit {
namespace {

struct AnswerPairsOptions {
  std::string policy = "reference", into = "pairs";
  int64_t prompts = 3000;
  double flip = 0;
};

// A reward for each word of the answers of pairs.
struct PairTokenRewards {
  at::Tensor chosen, rejected;  // [N,12]
};

struct ContrastOptions {
  std::string pairs = "pairs", better = "better", worse = "worse", into = "token_rewards";
  double scale = 1;
};

struct PreferOptions {
  std::string pairs = "pairs", from = "reference", policy = "tuned";
  std::string objective = "preference";  // a preference loss, likelihood of the chosen answers, or treg
  std::string loss = "dpo";
  PreferenceLossOptions settings;
  double sft_weight = 0;
  std::string token_rewards = "";  // of treg
  std::optional<double> token_weight = {};
  std::string weighting = "sequence";
  TableTraining training;
  int64_t prompts = 2000;
};

struct CreditOptions {
  std::string policy = "tuned", reference = "reference";
  int64_t prompts = 1500;
};

}  // namespace

template <>
void describe(OptionTable<AnswerPairsOptions>& t) {
  t.field("policy", &AnswerPairsOptions::policy, "who answers, twice per prompt");
  t.field("into", &AnswerPairsOptions::into, "name of the pairs");
  t.field("prompts", &AnswerPairsOptions::prompts, "how many", at_least(1));
  t.field("flip", &AnswerPairsOptions::flip, "probability that a label is turned round", between(0, 1));
}

template <>
void describe(OptionTable<ContrastOptions>& t) {
  t.field("pairs", &ContrastOptions::pairs, "whose words are rewarded");
  t.field("better", &ContrastOptions::better, "policy of better answers");
  t.field("worse", &ContrastOptions::worse, "policy of worse answers");
  t.field("into", &ContrastOptions::into, "name of the rewards");
  t.field("scale", &ContrastOptions::scale, "factor; -1 turns them round");
}

template <>
void describe(OptionTable<PreferOptions>& t) {
  t.field("pairs", &PreferOptions::pairs, "the pairs that are learnt");
  t.field("from", &PreferOptions::from, "the policy that it starts from, and its reference");
  t.field("policy", &PreferOptions::policy, "name of the tuned policy");
  t.field("objective", &PreferOptions::objective,
          "a preference loss, the likelihood of the chosen answers, or DPO with token rewards",
          one_of({"preference", "likelihood", "treg"}));
  t.field("loss", &PreferOptions::loss, "of objective preference", one_of(preference_loss_names()));
  t.include(&PreferOptions::settings);
  t.field("sft_weight", &PreferOptions::sft_weight, "adds this times the chosen answers' mean loss per word",
          at_least(0));
  t.field("token_rewards", &PreferOptions::token_rewards, "of treg: their name");
  t.field("token_weight", &PreferOptions::token_weight, "of treg: alpha (0.25)", at_least(0));
  t.field("weighting", &PreferOptions::weighting, "of treg", one_of({"sequence", "static"}));
  t.include(&PreferOptions::training);
  t.field("prompts", &PreferOptions::prompts, "answers behind the measures", at_least(1));
}

template <>
void describe(OptionTable<CreditOptions>& t) {
  t.field("policy", &CreditOptions::policy, "whose credit is measured");
  t.field("reference", &CreditOptions::reference, "who writes the answers");
  t.field("prompts", &CreditOptions::prompts, "how many", at_least(1));
}

namespace {

void save_token_rewards(const PairTokenRewards& rewards, const std::string& folder) {
  save_safetensors(folder + "/rewards.safetensors",
                   {{"chosen", rewards.chosen}, {"rejected", rewards.rejected}});
}
PairTokenRewards load_token_rewards(const std::string& folder) {
  const auto t = load_safetensors(folder + "/rewards.safetensors").tensors;
  return {t.at("chosen"), t.at("rejected")};
}
PLAUDIT_ARTEFACT(PairTokenRewards, "token rewards of pairs", &save_token_rewards, &load_token_rewards);

// The better gold reward wins; ties are dropped before labels are turned round.
void run_answer_pairs(const AnswerPairsOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  const auto log_probs = context.get<NgramPolicy>(o.policy).log_probs();
  auto prompt_stream = context.rng("prompts");
  auto first_stream = context.rng("first"), second_stream = context.rng("second");
  const auto prompts = sentilang_prompts(o.prompts, prompt_stream);
  const auto first = sample_answers(log_probs, prompts, first_stream);
  const auto second = sample_answers(log_probs, prompts, second_stream);
  const auto difference = gold_rewards(first) - gold_rewards(second);
  const auto decided = difference.ne(0).nonzero().squeeze(1);
  auto labels = difference.index_select(0, decided).gt(0).to(at::kLong);
  if (o.flip > 0)
    labels = flip_labels(labels, context.rng("flip").uniform_tensor({labels.size(0)}, at::kDouble), o.flip);
  context.put(o.into, preferred_pairs(first.pick(decided), second.pick(decided), labels.eq(1)));
  context.summary().metric(o.into, static_cast<double>(decided.size(0)));
}

// The values at words that are positive or negative, and which are positive.
struct WeightyWords {
  at::Tensor values, good;
};
WeightyWords weighty_words(const at::Tensor& values, const SentilangLines& lines) {
  const auto weight = sentilang::weights().index({lines.answers()});
  const auto counted = lines.mask().logical_and(weight.ne(0));
  return {values.masked_select(counted), weight.masked_select(counted).gt(0).to(at::kDouble)};
}

void run_contrast(const ContrastOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  const auto& pairs = context.get<SentilangPairs>(o.pairs);
  const auto better = context.get<NgramPolicy>(o.better).log_probs();
  const auto worse = context.get<NgramPolicy>(o.worse).log_probs();
  const auto rewards = [&](const SentilangLines& lines) {
    return o.scale *
           contrast_token_rewards(answer_values(better, lines), answer_values(worse, lines), lines.mask());
  };
  PairTokenRewards out{rewards(pairs.chosen), rewards(pairs.rejected)};
  const auto [scores, good] = weighty_words(out.chosen, pairs.chosen);
  context.summary().metric("token_auc", auroc(scores, good).item<double>());
  context.put(o.into, std::move(out));
}

void check_prefer(const PreferOptions& o) {
  const auto shared = joined({{"pairs", "from", "policy", "objective", "prompts"}, keys_of<TableTraining>()});
  if (o.objective == "likelihood") return refuse_unused(o, "objective likelihood", shared);
  if (o.objective == "preference") {
    refuse_unused(o, "objective preference",
                  joined({shared, keys_of<PreferenceLossOptions>(), {"loss", "sft_weight"}}));
    find_preference_loss(o.loss, o.settings);
    return;
  }
  refuse_unused(o, "objective treg",
                joined({shared, {"beta", "token_rewards", "token_weight", "weighting", "sft_weight"}}));
  if (o.token_rewards.empty()) fail(ErrorKind::value, "token_rewards", "must name what objective treg needs");
}

// The losses of one batch of pairs under the table `log_probs`.
class PairLosses {
 public:
  PairLosses(const PreferOptions& options, const SentilangPairs& pairs, const at::Tensor& ref_log_probs,
             const PairTokenRewards* rewards)
      : options_(options), pairs_(pairs), rewards_(rewards) {
    ref_chosen_ = answer_values(ref_log_probs, pairs.chosen);
    ref_rejected_ = answer_values(ref_log_probs, pairs.rejected);
  }

  StepLoss operator()(const at::Tensor& log_probs, const std::vector<int64_t>& examples) const {
    const auto index = index_tensor(examples);
    const auto chosen = pairs_.chosen.pick(index), rejected = pairs_.rejected.pick(index);
    const auto chosen_logps = answer_values(log_probs, chosen);
    if (options_.objective == "likelihood")
      return {-chosen_logps.sum(), chosen.lengths.sum().item<double>(), {}};
    const auto rejected_logps = answer_values(log_probs, rejected);
    auto losses = options_.objective == "treg"
                      ? token_losses(index, chosen, rejected, chosen_logps, rejected_logps)
                      : pair_losses(index, chosen, rejected, chosen_logps, rejected_logps);
    auto loss = mean_loss(losses);
    if (options_.sft_weight > 0)
      loss.loss_sum =
          loss.loss_sum - options_.sft_weight * loss.weight * chosen_logps.sum() / chosen.lengths.sum();
    return loss;
  }

 private:
  at::Tensor pair_losses(const at::Tensor& index, const SentilangLines& chosen,
                         const SentilangLines& rejected, const at::Tensor& chosen_logps,
                         const at::Tensor& rejected_logps) const {
    const PreferenceTerms terms{
        {chosen_logps.sum(1), rejected_logps.sum(1), ref_chosen_.index_select(0, index).sum(1),
         ref_rejected_.index_select(0, index).sum(1)},
        chosen.lengths,
        rejected.lengths};
    return find_preference_loss(options_.loss, options_.settings).compute(terms, options_.settings).losses;
  }

  at::Tensor token_losses(const at::Tensor& index, const SentilangLines& chosen,
                          const SentilangLines& rejected, const at::Tensor& chosen_logps,
                          const at::Tensor& rejected_logps) const {
    const auto at_index = [&](const at::Tensor& all) { return all.index_select(0, index); };
    return treg_loss({chosen_logps, at_index(ref_chosen_), chosen.mask(), at_index(rewards_->chosen)},
                     {rejected_logps, at_index(ref_rejected_), rejected.mask(), at_index(rewards_->rejected)},
                     {.beta = options_.settings.beta.value_or(0.1),
                      .alpha = options_.token_weight.value_or(0.25),
                      .weighting = options_.weighting})
        .losses;
  }

  const PreferOptions& options_;
  const SentilangPairs& pairs_;
  const PairTokenRewards* rewards_;
  at::Tensor ref_chosen_, ref_rejected_;  // [N,12]
};

void run_prefer(const PreferOptions& o, RunContext& context) {
  const auto& pairs = context.get<SentilangPairs>(o.pairs);
  const auto& reference = context.get<NgramPolicy>(o.from);
  const auto ref_log_probs = reference.log_probs().detach();
  const auto* rewards = o.objective == "treg" ? &context.get<PairTokenRewards>(o.token_rewards) : nullptr;
  const auto policy = reference.clone();
  const PairLosses losses(o, pairs, ref_log_probs, rewards);
  const auto measure = [&](int64_t step) {
    const auto streams = context.rng("measure").child(step);
    auto prompts = streams.child("prompts");
    return measure_policy(policy.logits().detach(), ref_log_probs, sentilang_prompts(o.prompts, prompts),
                          streams.child("answers"));
  };
  PolicyMeasures last;
  train_table(
      "prefer", policy.parameters(), pairs.chosen.size(), o.training, context.rng("order"),
      [&](const std::vector<int64_t>& examples) { return losses(policy.log_probs(), examples); },
      [&](int64_t step) {
        last = measure(step);
        report_measures(last, fmt::format("@{}", step), context);
      });
  const auto& at = o.training.evaluate_at;
  const bool measured = std::find(at.begin(), at.end(), o.training.steps) != at.end();
  report_measures(measured ? last : measure(o.training.steps), "", context);
  context.put(o.policy, policy);
}

// How well log pi - log pi_ref at the reference's own words tells good words from bad ones.
void run_credit(const CreditOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  const auto reference = context.get<NgramPolicy>(o.reference).log_probs();
  const auto change = context.get<NgramPolicy>(o.policy).log_probs() - reference;
  auto prompts = context.rng("prompts"), answers = context.rng("answers");
  const auto lines = sample_answers(reference, sentilang_prompts(o.prompts, prompts), answers);
  const auto [scores, good] = weighty_words(answer_values(change, lines), lines);
  context.summary().metric("credit_auc", auroc(scores, good).item<double>());
}

PLAUDIT_STAGE(answer_pairs, AnswerPairsOptions,
              {
                  .doc = "Two sentilang answers to each prompt, the one of higher gold reward preferred.",
                  .reads = [](const AnswerPairsOptions& o) { return Names{o.policy}; },
                  .writes = [](const AnswerPairsOptions& o) { return Names{o.into}; },
                  .run = run_answer_pairs,
              });

PLAUDIT_STAGE(contrast_rewards, ContrastOptions,
              {
                  .doc = "Rewards each word of sentilang pairs by what two contrasting policies say of it.",
                  .reads =
                      [](const ContrastOptions& o) {
                        return Names{o.pairs, o.better, o.worse};
                      },
                  .writes = [](const ContrastOptions& o) { return Names{o.into}; },
                  .run = run_contrast,
              });

PLAUDIT_STAGE(prefer, PreferOptions,
              {
                  .doc = "Preference training of an n-gram policy on sentilang pairs.",
                  .reads =
                      [](const PreferOptions& o) {
                        return o.token_rewards.empty() ? Names{o.pairs, o.from}
                                                       : Names{o.pairs, o.from, o.token_rewards};
                      },
                  .writes = [](const PreferOptions& o) { return Names{o.policy}; },
                  .check = check_prefer,
                  .run = run_prefer,
              });

PLAUDIT_STAGE(credit, CreditOptions,
              {
                  .doc = "Measures whether a tuned n-gram policy credits good words above bad ones.",
                  .reads =
                      [](const CreditOptions& o) {
                        return Names{o.policy, o.reference};
                      },
                  .run = run_credit,
              });

}  // namespace
}  // namespace plaudit
