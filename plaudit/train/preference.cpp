#include "plaudit/train/preference.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "plaudit/core/errors.h"
#include "plaudit/data/revision.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/train/examples.h"

namespace plaudit {
namespace {

constexpr const char* kPreference = "train.preference";

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
    : ReferenceObjective(
          std::move(policy), reference_options(options),
          find_preference_loss(options.loss, options.settings).uses_reference(options.settings),
          std::move(reference)),
      options_(std::move(options)),
      loss_(&find_preference_loss(options_.loss, options_.settings)),
      views_(loss_->extras == PairExtras::revisions ? 3 : 1) {
  const auto& settings = options_.settings;
  if (loss_->extras == PairExtras::token_rewards)
    contrast_.emplace(policy_, options_.answers, settings.better.value_or(kBetterInstruction),
                      settings.worse.value_or(kWorseInstruction));
  auto encoder = answer_encoder(policy_, options_.answers, AnswerEnd::cut);
  std::vector<PreferencePair> kept;
  int64_t without_context = 0;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto& pair = pairs[i];
    if (!(pair.label >= 0 && pair.label <= 1))
      fail(ErrorKind::value, kPreference,
           fmt::format("label of pair {} must be in [0, 1], got {}", i, pair.label));
    const auto name = fmt::format("pair {}", i);
    auto read = encode(name, pair, encoder);
    if (!read) continue;
    if (read->size() < views_ ||
        (contrast_ && !contrast_->add(name, pair.prompt, {pair.chosen, pair.rejected}, read->front()))) {
      ++without_context;
      continue;
    }
    examples_.insert(examples_.end(), read->begin(), read->end());
    labels_.push_back(pair.label);
    weights_.push_back(pair.weight);
    kept.push_back(pair);
  }
  if (examples_.empty())
    fail(ErrorKind::empty, kPreference,
         pairs.empty() ? "there are no pairs" : "every pair is above max_length");
  check_weights(kPreference, weights_);
  counts_ = as_map(encoder.counts());
  counts_["examples"] = size();
  counts_["dropped"] += without_context;
  counts_["undecided"] = std::count(labels_.begin(), labels_.end(), 0.5);
  counts_["equal_answers"] = 0;
  for (size_t i = 0; i < examples_.size(); i += views_)
    counts_["equal_answers"] += examples_[i].answers[0] == examples_[i].answers[1];
  if (counts_["equal_answers"] == size())
    fail(ErrorKind::value, kPreference, "every pair compares equal answers, so nothing can be learnt");
  if (counts_["undecided"] == size())
    fail(ErrorKind::value, kPreference, "every pair has label 0.5, so no answer is the better one");
  find_calibration(kept);
  options_.reference_file.clear();  // where the cache lies changes nothing
  fingerprint_ = hash_run(policy_, hash_examples(examples_, weights_) ^ hash_examples({}, labels_) ^
                                       hash_options(options_) ^ hash_examples({}, chosen_calibrates_) ^
                                       hash_examples({}, rejected_calibrates_));
}

std::optional<std::vector<TokenizedAnswers>> PreferenceObjective::encode(const std::string& name,
                                                                         const PreferencePair& pair,
                                                                         AnswerEncoder& encoder) {
  auto own = encoder.encode(name, pair.prompt, {pair.chosen, pair.rejected});
  if (!own) return std::nullopt;
  std::vector<TokenizedAnswers> out = {*own};
  if (views_ == 1) return out;
  const auto instruction = options_.settings.revise.value_or(kReviseInstruction);
  auto contexts = answer_encoder(policy_, options_.answers, AnswerEnd::cut);
  for (const auto& given : {pair.rejected, pair.chosen}) {
    auto view =
        contexts.encode(name, revision_prompt(pair.prompt, given, instruction), {pair.chosen, pair.rejected});
    // A revision that lost its end is another answer than the one it is compared with.
    if (!view || view->answers != own->answers) return out;
    out.push_back(std::move(*view));
  }
  return out;
}

// The value is a mean over all calibration answers, the loss one over pairs: an answer counts pairs/answers
// times.
void PreferenceObjective::find_calibration(const std::vector<PreferencePair>& kept) {
  if (loss_->extras != PairExtras::calibration ||
      options_.settings.value_mode.value_or("offline") != "online")
    return;
  const auto written_by_reference = [](const PreferencePair& pair, const char* key) {
    return pair.extra.is_object() && pair.extra.value(key, "") == "reference" ? 1.0 : 0.0;
  };
  double answers = 0;
  for (const auto& pair : kept) {
    chosen_calibrates_.push_back(written_by_reference(pair, "chosen_writer"));
    rejected_calibrates_.push_back(written_by_reference(pair, "rejected_writer"));
    answers += chosen_calibrates_.back() + rejected_calibrates_.back();
  }
  if (answers == 0)
    fail(ErrorKind::empty, kPreference,
         "no answer of these pairs was drawn from the reference, which value_mode online needs: sample with "
         "reference_answers");
  for (auto* side : {&chosen_calibrates_, &rejected_calibrates_})
    for (auto& value : *side) value *= static_cast<double>(size()) / answers;
}

int64_t PreferenceObjective::tokens(int64_t example) const {
  int64_t total = 0;
  for (const auto view : views({example})) total += examples_.at(static_cast<size_t>(view)).tokens();
  return total;
}

// Their places in examples_.
std::vector<int64_t> PreferenceObjective::views(const std::vector<int64_t>& examples) const {
  std::vector<int64_t> out;
  const auto count = static_cast<int64_t>(views_);
  for (const auto example : examples)
    for (int64_t view = 0; view < count; ++view) out.push_back(example * count + view);
  return out;
}

PreferenceTerms PreferenceObjective::terms(const std::vector<int64_t>& examples) const {
  const auto read = views(examples);
  const auto batch = pack_for_logps(select(examples_, read));
  const auto tokens = answer_token_logps(*policy_.transformer, batch);
  const auto answers = static_cast<int64_t>(2 * views_);
  // Columns: chosen, rejected; given the rejected one: chosen, rejected; given the chosen one: the same.
  const auto logps = sum_per_answer(batch, tokens).view({-1, answers});
  const auto reference =
      reference_.logps(read, {0, 1}, batch).to(logps.options().requires_grad(false)).view({-1, answers});
  const auto lengths = at::tensor(batch.lengths, at::kLong).to(logps.device()).view({-1, answers});
  const auto column = [](const at::Tensor& table, int64_t k) { return table.select(1, k); };
  PreferenceTerms out{{column(logps, 0), column(logps, 1), column(reference, 0), column(reference, 1)},
                      column(lengths, 0),
                      column(lengths, 1)};
  if (loss_->extras == PairExtras::revisions) {
    out.revision = {column(logps, 2), column(logps, 3), column(logps, 4), column(logps, 5)};
    out.ref_revision = {column(reference, 2), column(reference, 3), column(reference, 4),
                        column(reference, 5)};
  }
  if (contrast_) {
    const auto rewards = contrast_->at_tokens(examples, batch).to(tokens.options().requires_grad(false));
    const auto credit = sum_per_answer(batch, rewards * tokens).view({-1, 2});
    out.chosen_credit = column(credit, 0);
    out.rejected_credit = column(credit, 1);
  }
  if (!chosen_calibrates_.empty()) {
    out.chosen_calibrates = pick(chosen_calibrates_, examples, logps);
    out.rejected_calibrates = pick(rejected_calibrates_, examples, logps);
  }
  return out;
}

StepLoss PreferenceObjective::loss(const std::vector<int64_t>& examples) {
  const auto terms = this->terms(examples);
  const auto labels = pick(labels_, examples, terms.logps.chosen),
             weights = pick(weights_, examples, terms.logps.chosen);
  return preference_step(*loss_, options_.settings, terms, labels, weights, !reference_.free(),
                         options_.sft_weight);
}

bool PreferenceObjective::prepare(const TrainOptions& options, TrainContext& context) {
  if (contrast_) {
    if (!contrast_->prepare(options, context)) return false;
    counts_["token_rewards_agree"] = contrast_->agreeing();
  }
  return reference_.prepare(examples_, options, context);
}

std::string PreferenceObjective::show(int64_t example) const {
  return show_answers(*policy_.tokenizer, examples_.at(static_cast<size_t>(example) * views_));
}

}  // namespace plaudit
