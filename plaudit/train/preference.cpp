#include "plaudit/train/preference.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/train/examples.h"

namespace plaudit {
namespace {

constexpr const char* where = "train.preference";

PreferenceTerms swapped(const PreferenceTerms& terms) {
  const auto& [chosen, rejected, ref_chosen, ref_rejected] = terms.logps;
  return {{rejected, chosen, ref_rejected, ref_chosen}, terms.rejected_lengths, terms.chosen_lengths};
}

// Labels that are not certain mix the losses of both orders.
at::Tensor mix_by_label(const PreferenceLoss& loss, const PreferenceTerms& terms,
                        const PreferenceLossOptions& settings, const at::Tensor& losses,
                        const at::Tensor& labels) {
  return labels * losses + (1 - labels) * loss.compute(swapped(terms), settings).losses;
}

void add_metrics(StepLoss& out, const PreferenceTerms& terms, const PreferenceLossValue& value,
                 const at::Tensor& labels, bool has_reference) {
  const auto pairs = static_cast<double>(labels.numel());
  const auto put = [&](const char* name, const at::Tensor& values) {
    out.sums[name] = {values.detach().sum(), pairs};
  };
  const auto margin = value.chosen_rewards - value.rejected_rewards;
  put("rewards/chosen", value.chosen_rewards);
  put("rewards/rejected", value.rejected_rewards);
  put("rewards/margin", margin);
  put("logps/chosen", terms.logps.chosen);
  put("logps/rejected", terms.logps.rejected);
  const auto decided = labels.ne(0.5).sum().item<double>();
  out.sums["rewards/accuracy"] = {((2 * labels - 1) * margin).gt(0).sum(), decided};
  if (!has_reference) return;
  const auto& [chosen, rejected, ref_chosen, ref_rejected] = terms.logps;
  put("kl", (ref_chosen - chosen + ref_rejected - rejected) / 2);
}

}  // namespace

template <>
void describe(OptionTable<PreferenceOptions>& t) {
  t.field("loss", &PreferenceOptions::loss, "which loss", one_of(preference_loss_names()));
  t.field("settings", &PreferenceOptions::settings, "settings of the loss");
  t.field("sft_weight", &PreferenceOptions::sft_weight,
          "adds this times the negative log-likelihood per token of the chosen answer", at_least(0));
  describe_reference(t);
  t.field("answers", &PreferenceOptions::answers, "lengths");
}

PreferenceObjective::PreferenceObjective(LanguageModel policy, const std::vector<PreferencePair>& pairs,
                                         PreferenceOptions options, std::shared_ptr<Transformer> reference)
    : policy_(std::move(policy)),
      options_(std::move(options)),
      loss_(&find_preference_loss(options_.loss, options_.settings)),
      reference_(policy_, reference_options(options_), loss_->needs_reference, std::move(reference)) {
  auto encoder = answer_encoder(policy_, options_.answers, AnswerEnd::cut);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto& pair = pairs[i];
    if (!(pair.label >= 0 && pair.label <= 1))
      fail(ErrorKind::value, where, fmt::format("label of pair {} must be in [0, 1], got {}", i, pair.label));
    auto example = encoder.encode(fmt::format("pair {}", i), pair.prompt, {pair.chosen, pair.rejected});
    if (!example) continue;
    examples_.push_back(std::move(*example));
    labels_.push_back(pair.label);
    weights_.push_back(pair.weight);
  }
  if (examples_.empty())
    fail(ErrorKind::empty, where, pairs.empty() ? "there are no pairs" : "every pair is above max_length");
  check_weights(where, weights_);
  counts_ = as_map(encoder.counts());
  counts_["undecided"] = std::count(labels_.begin(), labels_.end(), 0.5);
  counts_["equal_answers"] = std::count_if(examples_.begin(), examples_.end(), [](const auto& example) {
    return example.answers[0] == example.answers[1];
  });
  if (counts_["equal_answers"] == size())
    fail(ErrorKind::value, where, "every pair compares equal answers, so nothing can be learnt");
  if (counts_["undecided"] == size())
    fail(ErrorKind::value, where, "every pair has label 0.5, so no answer is the better one");
  options_.reference_file.clear();  // where the cache lies changes nothing
  fingerprint_ = hash_run(
      policy_, hash_examples(examples_, weights_) ^ hash_examples({}, labels_) ^ hash_options(options_));
}

int64_t PreferenceObjective::tokens(int64_t example) const {
  return examples_.at(static_cast<size_t>(example)).tokens();
}

std::vector<std::string> PreferenceObjective::metric_names() const {
  return {"kl",
          "logps/chosen",
          "logps/rejected",
          "rewards/accuracy",
          "rewards/chosen",
          "rewards/margin",
          "rewards/rejected"};
}

StepLoss PreferenceObjective::loss(const std::vector<int64_t>& examples) {
  const auto batch = pack_for_logps(select(examples_, examples));
  const auto logps = answer_logps(*policy_.transformer, batch).view({-1, 2});
  const auto reference = reference_.logps(examples, {0, 1}, batch).to(logps.options().requires_grad(false));
  const auto lengths = at::tensor(batch.lengths, at::kLong).to(logps.device()).view({-1, 2});
  const PreferenceTerms terms{
      {logps.select(1, 0), logps.select(1, 1), reference.select(1, 0), reference.select(1, 1)},
      lengths.select(1, 0),
      lengths.select(1, 1)};
  const auto labels = pick(labels_, examples, logps), weights = pick(weights_, examples, logps);
  const auto value = loss_->compute(terms, options_.settings);
  auto losses = value.losses;
  if (std::any_of(examples.begin(), examples.end(), [&](int64_t i) { return labels_[i] != 1; }))
    losses = mix_by_label(*loss_, terms, options_.settings, losses, labels);
  if (options_.sft_weight > 0)
    losses = losses - options_.sft_weight * terms.logps.chosen / terms.chosen_lengths;
  StepLoss out{(weights * losses).sum(), weights.sum().item<double>(), {}};
  add_metrics(out, terms, value, labels, !reference_.free());
  return out;
}

bool PreferenceObjective::prepare(const TrainOptions& options, TrainContext& context) {
  return reference_.prepare(examples_, options, context);
}

std::string PreferenceObjective::show(int64_t example) const {
  return show_answers(*policy_.tokenizer, examples_.at(static_cast<size_t>(example)));
}

}  // namespace plaudit
