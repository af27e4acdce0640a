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

// Log-probabilities of the answers of each example, and their lengths.
struct Likelihoods {
  std::vector<double> logps, tokens;

  // -log p per token of answer k of every pair.
  std::vector<double> nll(size_t k) const {
    std::vector<double> out;
    for (size_t i = k; i < logps.size(); i += 2) out.push_back(-logps[i] / tokens[i]);
    return out;
  }
};

Likelihoods likelihoods(const LanguageModel& model, bool use_adapter,
                        const std::vector<TokenizedAnswers>& examples, const std::string& who,
                        RunContext& context) {
  const at::NoGradGuard no_grad;
  const auto size = static_cast<int64_t>(examples.size());
  std::vector<int64_t> all;
  for (int64_t i = 0; i < size; ++i) all.push_back(i);
  Likelihoods out{std::vector<double>(2 * examples.size()), std::vector<double>(2 * examples.size())};
  int64_t done = 0;
  const auto tokens = [&](int64_t i) { return examples[static_cast<size_t>(i)].tokens(); };
  for (const auto& part : micro_batches(all, tokens, kTokensPerBatch)) {
    const auto batch = pack_for_logps(select(examples, part));
    const auto logps = answer_logps(*model.transformer, batch, use_adapter).to(at::kCPU, at::kDouble);
    for (size_t k = 0; k < 2 * part.size(); ++k) {
      const auto at = 2 * static_cast<size_t>(part[k / 2]) + k % 2;
      out.logps[at] = logps[static_cast<int64_t>(k)].item<double>();
      out.tokens[at] = static_cast<double>(batch.lengths[k]);
    }
    done += static_cast<int64_t>(part.size());
    context.progress(done, size, "held-out answers of the " + who);
    context.throw_if_interrupted();
  }
  return out;
}

// log pi/pi_ref of answer k of every pair.
std::vector<double> implicit_rewards(const Likelihoods& ours, const Likelihoods& theirs, size_t k) {
  std::vector<double> out;
  for (size_t i = k; i < ours.logps.size(); i += 2) out.push_back(ours.logps[i] - theirs.logps[i]);
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
    const bool as_written = pair.label >= 0.5;
    auto example =
        encoder.encode(fmt::format("pair {}", i), pair.prompt,
                       {as_written ? pair.chosen : pair.rejected, as_written ? pair.rejected : pair.chosen});
    if (example) examples.push_back(std::move(*example));
  }
  if (examples.empty()) fail(ErrorKind::empty, "data", "holds no pair that fits the model");
  if (encoder.counts().dropped > 0)
    context.summary().rejected("held-out pairs above max_length", encoder.counts().dropped);
  const auto ours = likelihoods(policy.model, true, examples, "policy", context),
             theirs = likelihoods(reference.model, reference.use_adapter, examples, "reference", context);
  const auto chosen = implicit_rewards(ours, theirs, 0), rejected = implicit_rewards(ours, theirs, 1);
  const auto rng = context.rng("bootstrap");
  auto& summary = context.summary();
  const auto mean = [&](const std::string& name, const std::vector<double>& values) {
    add_metric(summary, name, eval::bootstrap_mean(values, rng.child(name)));
  };
  mean("nll/policy", ours.nll(0));
  mean("nll/reference", theirs.nll(0));
  add_metric(summary, "nll/gain", eval::bootstrap_difference(ours.nll(0), theirs.nll(0), rng.child("gain")));
  mean("nll_rejected/policy", ours.nll(1));
  mean("nll_rejected/reference", theirs.nll(1));
  const std::string implicit = "implicit_reward/";
  add_metric(summary, implicit + "accuracy",
             eval::win_rate(chosen, rejected, rng.child(implicit + "accuracy")));
  add_metric(summary, implicit + "margin",
             eval::bootstrap_difference(chosen, rejected, rng.child(implicit + "margin")));
  context.report().heading("Held-out pairs");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, metric] : summary.json().at("metrics").items())
    rows.push_back({name, fmt::format("{:.3f}", metric.at("value").get<double>()),
                    !metric.at("low").is_null()
                        ? fmt::format("{:.3f} to {:.3f}", metric.at("low").get<double>(),
                                      metric.at("high").get<double>())
                        : ""});
  context.report().table({"measure", "value", "95 % interval"}, rows);
  context.report().paragraph(
      "nll: nats per token of the preferred answer (nll_rejected: of the other one); implicit reward: log "
      "policy/reference of whole answers, its margin and how often it is on the side of the label.");
}

}  // namespace plaudit
