#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/model/answer_batch.h"
#include "plaudit/run/evaluate.h"
#include "plaudit/run/records_artefact.h"
#include "plaudit/train/batches.h"
#include "plaudit/train/examples.h"

namespace plaudit {
namespace {

constexpr int64_t kTokensPerBatch = 4096;

// -log p per token of each answer.
std::vector<double> negative_logps(const LanguageModel& model, bool use_adapter,
                                   const std::vector<TokenizedAnswers>& examples, const std::string& who,
                                   RunContext& context) {
  const at::NoGradGuard no_grad;
  const auto size = static_cast<int64_t>(examples.size());
  std::vector<int64_t> all;
  for (int64_t i = 0; i < size; ++i) all.push_back(i);
  std::vector<double> out(examples.size());
  int64_t done = 0;
  const auto tokens = [&](int64_t i) { return examples[static_cast<size_t>(i)].tokens(); };
  for (const auto& part : micro_batches(all, tokens, kTokensPerBatch)) {
    const auto batch = pack_for_logps(select(examples, part));
    const auto logps = answer_logps(*model.transformer, batch, use_adapter).to(at::kCPU, at::kDouble);
    for (size_t k = 0; k < part.size(); ++k)
      out[static_cast<size_t>(part[k])] =
          -logps[static_cast<int64_t>(k)].item<double>() / static_cast<double>(batch.lengths[k]);
    done += static_cast<int64_t>(part.size());
    context.progress(done, size, "held-out answers of the " + who);
    context.throw_if_interrupted();
  }
  return out;
}

}  // namespace

void evaluate_likelihood(const EvaluateStage& stage, RunContext& context) {
  const auto& policy = context.get<Policy>("policy");
  const auto reference = reference_of(policy, context);
  const auto pairs = stage.data.empty() ? context.get<PreferencePairs>("heldout_pairs")
                                        : read_preference_pairs(stage.data).records;
  auto encoder = answer_encoder(policy.model, {.on_long = "drop"}, AnswerEnd::cut);
  std::vector<TokenizedAnswers> examples;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto& pair = pairs[i];
    auto example = encoder.encode(fmt::format("pair {}", i), pair.prompt,
                                  {pair.label >= 0.5 ? pair.chosen : pair.rejected});
    if (example) examples.push_back(std::move(*example));
  }
  if (examples.empty()) fail(ErrorKind::empty, "data", "holds no answer that fits the model");
  if (encoder.counts().dropped > 0)
    context.summary().rejected("held-out answers above max_length", encoder.counts().dropped);
  const auto ours = negative_logps(policy.model, true, examples, "policy", context),
             theirs = negative_logps(reference.model, reference.use_adapter, examples, "reference", context);
  const auto rng = context.rng("bootstrap");
  auto& summary = context.summary();
  add_metric(summary, "nll/policy", eval::bootstrap_mean(ours, rng.child("policy")));
  add_metric(summary, "nll/reference", eval::bootstrap_mean(theirs, rng.child("reference")));
  add_metric(summary, "nll/gain", eval::bootstrap_difference(ours, theirs, rng.child("gain")));
  context.report().heading("Likelihood of held-out answers");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, metric] : summary.json().at("metrics").items())
    rows.push_back({name, fmt::format("{:.3f}", metric.at("value").get<double>())});
  context.report().table({"measure, nats per token", "value"}, rows);
}

}  // namespace plaudit
