#include "plaudit/train/preference.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/hash.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/train/batches.h"
#include "plaudit/train/examples.h"
#include "plaudit/train/reference.h"

namespace plaudit {
namespace {

constexpr const char* where = "train.preference";

// Values of the chosen examples as a tensor like `like`.
at::Tensor pick(const std::vector<double>& all, const std::vector<int64_t>& chosen, const at::Tensor& like) {
  std::vector<double> out;
  for (const auto i : chosen) out.push_back(all[static_cast<size_t>(i)]);
  return at::tensor(out, like.options().requires_grad(false));
}

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
  t.field(
      "reference", &PreferenceOptions::reference,
      "where the reference's log-probabilities come from: cached (computed once), adapter_off, copy, free "
      "(none), or auto (cached where the loss needs them)",
      one_of({"auto", "cached", "adapter_off", "copy", "free"}));
  t.field("reference_file", &PreferenceOptions::reference_file,
          "where cached ones are kept; empty: reference.safetensors in the run folder");
  t.field("ref_sync_steps", &PreferenceOptions::ref_sync_steps,
          "with copy: steps between moves of the reference towards the policy (TR-DPO); 0: never",
          at_least(0));
  t.field("ref_sync_mix", &PreferenceOptions::ref_sync_mix, "share of the policy in such a move",
          between(0, 1));
  t.field("answers", &PreferenceOptions::answers, "lengths");
}

PreferenceObjective::PreferenceObjective(LanguageModel policy, const std::vector<PreferencePair>& pairs,
                                         PreferenceOptions options, std::shared_ptr<Transformer> reference)
    : policy_(std::move(policy)),
      options_(std::move(options)),
      loss_(&find_preference_loss(options_.loss, options_.settings)),
      reference_(std::move(reference)) {
  mode_ = options_.reference;
  if (mode_ == "auto") mode_ = loss_->needs_reference ? "cached" : "free";
  check_options();
  AnswerEncoder encoder(policy_.tokenizer, policy_.chat_family, options_.answers, AnswerEnd::cut);
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
  fingerprint_ = hash_run(policy_, hash_examples(examples_, weights_) ^ hash_examples({}, labels_));
  if (mode_ == "copy" && !reference_) reference_ = policy_.transformer->clone();
}

void PreferenceObjective::check_options() const {
  if (mode_ == "adapter_off" && !policy_.transformer->has_lora())
    fail(ErrorKind::value, "train.reference",
         "is adapter_off, but the policy has no adapter; use cached or copy, or train with LoRA");
  if (mode_ == "free" && loss_->needs_reference && options_.reference == "auto")
    bug(where, "a loss that needs a reference has none");
  if (options_.ref_sync_steps > 0 && mode_ != "copy")
    fail(ErrorKind::value, "train.ref_sync_steps",
         "needs reference copy, the only one that can move; reference is " + mode_);
  if (reference_ && mode_ != "copy" && mode_ != "cached")
    fail(ErrorKind::value, "train.reference", "must be cached or copy when a reference model is given");
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
  const auto reference = reference_logps(examples, batch).to(logps.scalar_type());
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
  add_metrics(out, terms, value, labels, mode_ != "free");
  return out;
}

at::Tensor PreferenceObjective::reference_logps(const std::vector<int64_t>& examples,
                                                const AnswerLogpBatch& batch) const {
  const at::NoGradGuard no_grad;
  if (mode_ == "free") return at::zeros({static_cast<int64_t>(examples.size()), 2});
  if (mode_ == "cached") return cache_.index_select(0, at::tensor(examples, at::kLong));
  const bool copy = mode_ == "copy";
  return answer_logps(copy ? *reference_ : *policy_.transformer, batch, /*use_adapter=*/copy).view({-1, 2});
}

bool PreferenceObjective::prepare(const TrainOptions& options, TrainContext& context) {
  if (mode_ != "cached" || cache_.defined()) return true;
  auto path = options_.reference_file;
  if (path.empty() && !context.folder.empty())
    path = (std::filesystem::path(context.folder) / "reference.safetensors").string();
  const auto key = cache_key();
  if (!path.empty()) {
    if (auto saved = load_reference(path, key, size(), 2)) {
      cache_ = *saved;
      return true;
    }
  }
  if (!compute_cache(options, context)) return false;
  if (!path.empty() && context.collective.rank == 0) save_reference(path, key, cache_);
  return true;
}

// Each rank computes its share; the sum over the ranks joins them.
bool PreferenceObjective::compute_cache(const TrainOptions& options, TrainContext& context) {
  const at::NoGradGuard no_grad;
  const auto& ranks = context.collective;
  std::vector<int64_t> mine;
  for (int64_t i = ranks.rank; i < size(); i += ranks.world) mine.push_back(i);
  const auto& model = reference_ ? *reference_ : *policy_.transformer;
  auto logps = at::zeros({size(), 2});
  int64_t done = 0;
  bool interrupted = false;
  for (const auto& pass : micro_batches(
           mine, [this](int64_t i) { return tokens(i); }, options.tokens_per_batch)) {
    interrupted = context.interrupt && context.interrupt();
    if (interrupted) break;
    const auto values = answer_logps(model, pack_for_logps(select(examples_, pass))).view({-1, 2});
    logps.index_copy_(0, at::tensor(pass, at::kLong), values.cpu().to(at::kFloat));
    done += static_cast<int64_t>(pass.size());
    if (context.progress && ranks.rank == 0)
      context.progress(done, static_cast<int64_t>(mine.size()), "reference log-probabilities");
  }
  std::vector<at::Tensor> sums = {logps, at::full({}, interrupted ? 1.0 : 0.0)};
  ranks.all_reduce_sum(sums);
  if (sums[1].item<double>() > 0) return false;
  cache_ = sums[0];
  return true;
}

std::string PreferenceObjective::cache_key() const {
  LanguageModel model = policy_;
  if (reference_) model.transformer = reference_;
  return hex64(hash_run(model, hash_examples(examples_, {})));
}

void PreferenceObjective::after_step(int64_t step) {
  if (options_.ref_sync_steps == 0 || step % options_.ref_sync_steps != 0) return;
  const at::NoGradGuard no_grad;
  const auto from = policy_.transformer->trainable(), to = reference_->trainable();
  for (size_t i = 0; i < to.size(); ++i) to[i].tensor.detach().lerp_(from[i].tensor, options_.ref_sync_mix);
}

std::vector<Parameter> PreferenceObjective::state() const {
  return options_.ref_sync_steps > 0 ? reference_->trainable() : std::vector<Parameter>{};
}

std::string PreferenceObjective::show(int64_t example) const {
  return show_answers(*policy_.tokenizer, examples_.at(static_cast<size_t>(example)));
}

}  // namespace plaudit
