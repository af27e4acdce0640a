#include "plaudit/train/offline.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/data/episode_selection.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/train/examples.h"
#include "plaudit/train/frozen_pass.h"

namespace plaudit {

template <>
void describe(OptionTable<OfflineOptions>& t) {
  t.field(
      "variant", &OfflineOptions::variant,
      "a-lol: how an answer's log-likelihood is weighed besides its advantage: ref_free (not at all), alol "
      "(clipped ratio of the whole answer to the reference), seq (of each token), kl (penalty); baselines "
      "without a value model: nll (all answers alike), wbc (by reward), r_lol (alol by reward), r_gold (by "
      "reward and the token's own probability, at least 0.1)",
      one_of({"ref_free", "alol", "seq", "kl", "nll", "wbc", "r_lol", "r_gold"}));
  t.field("importance_clip", &OfflineOptions::clip,
          "a-lol: ratios are clipped to 1 minus to 1 plus this; 0: not at all", between(0, 1));
  t.field("kl_weight", &OfflineOptions::kl_coef, "a-lol: weight of the penalty of variant kl", at_least(0));
}

bool weighs_rewards(const OfflineOptions& options) {
  const auto& v = options.variant;
  return v == "nll" || v == "wbc" || v == "r_lol" || v == "r_gold";
}

bool OfflineObjective::needs_reference() const {
  const auto& v = options_.variant;
  return v == "alol" || v == "seq" || v == "kl" || v == "r_lol";
}

namespace {

// What baselines that compute no ratio minimise, in the form of those that do.
AlolLoss weighted_loss(const std::string& variant, const at::Tensor& logps, const at::Tensor& mask,
                       const at::Tensor& weights) {
  const auto loss =
      variant == "r_gold" ? gold_loss(logps, mask, weights) : weighted_nll_loss(logps, mask, weights);
  return {loss.loss, loss.losses, at::ones_like(weights)};
}

}  // namespace

OfflineObjective::OfflineObjective(LanguageModel policy, std::vector<AdvantageExample> examples,
                                   int64_t epochs, Rng rng, const OfflineOptions& options)
    : policy_(std::move(policy)), options_(options) {
  if (examples.empty()) fail(ErrorKind::empty, "train.a-lol", "there are no scored answers");
  std::vector<double> advantages;
  if (options_.variant == "nll")
    for (auto& example : examples) example.advantage = 1;
  for (const auto& example : examples) advantages.push_back(example.advantage);
  const auto positive = positive_advantage(at::tensor(advantages, at::kDouble));
  const auto count = positive.indices.numel();
  const auto draws = priority_draw(positive.probabilities, rng.uniform_tensor({count * epochs}, at::kDouble));
  const auto* index = positive.indices.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i) kept_.push_back(std::move(examples[static_cast<size_t>(index[i])]));
  draws_.assign(draws.const_data_ptr<int64_t>(), draws.const_data_ptr<int64_t>() + draws.numel());
  kept_fraction_ = static_cast<double>(count) / static_cast<double>(advantages.size());
  counts_["examples"] = count;
  counts_["no_advantage"] = static_cast<int64_t>(advantages.size()) - count;
  std::vector<double> weights;
  std::vector<TokenizedAnswers> tokens;
  for (const auto place : draws_) {
    weights.push_back(kept_[static_cast<size_t>(place)].advantage);
    tokens.push_back(kept_[static_cast<size_t>(place)].tokens);
  }
  fingerprint_ = hash_run(policy_, hash_examples(tokens, weights) ^ hash_options(options_));
}

bool OfflineObjective::prepare(const TrainOptions& options, TrainContext& context) {
  if (!needs_reference()) return true;
  begins_ = {0};
  for (const auto& example : kept_)
    begins_.push_back(begins_.back() + static_cast<int64_t>(example.tokens.answers[0].size()));
  auto found = at::zeros({begins_.back()});
  const auto pass = [&](const std::vector<int64_t>& part) {
    std::vector<const TokenizedAnswers*> batch;
    for (const auto i : part) batch.push_back(&kept_[static_cast<size_t>(i)].tokens);
    const auto packed = pack_for_logps(batch);
    const auto logps = answer_token_logps(*policy_.transformer, packed).to(at::kCPU, at::kFloat);
    int64_t at = 0;
    for (size_t b = 0; b < part.size(); ++b) {
      found.narrow(0, begins_[static_cast<size_t>(part[b])], packed.lengths[b])
          .copy_(logps.narrow(0, at, packed.lengths[b]));
      at += packed.lengths[b];
    }
  };
  const auto count = [&](int64_t i) { return kept_[static_cast<size_t>(i)].tokens.tokens(); };
  if (!frozen_pass(static_cast<int64_t>(kept_.size()), count, pass, found, "reference log-probabilities",
                   options, context))
    return false;
  references_ = found;
  return true;
}

StepLoss OfflineObjective::loss(const std::vector<int64_t>& examples) {
  std::vector<const TokenizedAnswers*> batch;
  std::vector<double> advantages;
  for (const auto example : examples) {
    batch.push_back(&drawn(example).tokens);
    advantages.push_back(drawn(example).advantage);
  }
  const auto packed = pack_for_logps(batch);
  const auto [logps, mask] = padded_answer_logps(*policy_.transformer, packed);
  auto reference = at::zeros_like(logps.detach());
  if (needs_reference())
    for (size_t b = 0; b < examples.size(); ++b) {
      const auto place = static_cast<size_t>(draws_[static_cast<size_t>(examples[b])]);
      reference[static_cast<int64_t>(b)]
          .slice(0, 0, packed.lengths[b])
          .copy_(references_.narrow(0, begins_[place], packed.lengths[b]));
    }
  AlolOptions options{.variant = options_.variant == "r_lol" ? "alol" : options_.variant,
                      .clip = std::nullopt,
                      .kl_beta = options_.kl_coef};
  if (options_.clip > 0) options.clip = options_.clip;
  const auto weights = at::tensor(advantages, at::kDouble).to(logps.options().requires_grad(false));
  const bool plain = weighs_rewards(options_) && !needs_reference();
  const auto result = plain ? weighted_loss(options_.variant, logps, mask, weights)
                            : alol_loss(logps, reference, mask, weights, options);
  const auto count = static_cast<double>(examples.size());
  StepLoss out{result.losses.sum(), count, {}};
  out.sums["advantage"] = {weights.sum(), count};
  out.sums["logps"] = {at::where(mask, logps.detach(), at::zeros_like(reference)).sum(), count};
  const auto& importance = result.importance;
  out.sums["importance"] = {importance.sum(), importance.dim() == 2 ? mask.sum().item<double>() : count};
  return out;
}

std::string OfflineObjective::show(int64_t example) const {
  return fmt::format("{}\nadvantage {}", show_answers(*policy_.tokenizer, drawn(example).tokens),
                     drawn(example).advantage);
}

}  // namespace plaudit
