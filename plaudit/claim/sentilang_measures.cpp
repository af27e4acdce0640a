#include "plaudit/claim/sentilang_measures.h"

#include <ATen/ATen.h>

#include <set>

#include "plaudit/core/safetensors.h"
#include "plaudit/eval/text_diversity.h"
#include "plaudit/feedback/lexicon_sentiment.h"
#include "plaudit/run/artefact.h"

namespace plaudit {
namespace {

constexpr double gold_scale = 0.8;

void save_lines(const SentilangLines& lines, const std::string& folder) {
  save_safetensors(folder + "/lines.safetensors",
                   {{"tokens", lines.tokens}, {"lengths", lines.lengths}, {"groups", lines.groups}});
}
SentilangLines load_lines(const std::string& folder) {
  const auto file = load_safetensors(folder + "/lines.safetensors");
  return {file.tensors.at("tokens"), file.tensors.at("lengths"), file.tensors.at("groups")};
}

void save_pairs(const SentilangPairs& pairs, const std::string& folder) {
  const auto& [c, r] = pairs;
  save_safetensors(folder + "/pairs.safetensors", {{"chosen.tokens", c.tokens},
                                                   {"chosen.lengths", c.lengths},
                                                   {"rejected.tokens", r.tokens},
                                                   {"rejected.lengths", r.lengths},
                                                   {"groups", c.groups}});
}
SentilangPairs load_pairs(const std::string& folder) {
  const auto t = load_safetensors(folder + "/pairs.safetensors").tensors;
  const auto groups = t.at("groups");
  return {{t.at("chosen.tokens"), t.at("chosen.lengths"), groups},
          {t.at("rejected.tokens"), t.at("rejected.lengths"), groups}};
}

void save_policy(const NgramPolicy& policy, const std::string& folder) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : policy.parameters()) tensors[name] = tensor.detach();
  save_safetensors(folder + "/policy.safetensors", tensors);
}
NgramPolicy load_policy(const std::string& folder) {
  std::vector<at::Tensor> weights;
  for (const auto& [name, tensor] : load_safetensors(folder + "/policy.safetensors").tensors)
    weights.push_back(tensor);
  return NgramPolicy::from_weights(std::move(weights));
}

PLAUDIT_ARTEFACT(SentilangLines, "sentilang lines", &save_lines, &load_lines);
PLAUDIT_ARTEFACT(SentilangPairs, "sentilang pairs", &save_pairs, &load_pairs);
PLAUDIT_ARTEFACT(NgramPolicy, "n-gram policy", &save_policy, &load_policy);

}  // namespace

at::Tensor gold_rewards(const SentilangLines& lines) {
  return lexicon_sentiment(lines.answers(), lines.mask(), sentilang::weights(), gold_scale).rewards;
}

SentilangPairs preferred_pairs(const SentilangLines& first, const SentilangLines& second,
                               const at::Tensor& first_wins) {
  const auto choose = [&](const at::Tensor& take_first) {
    return SentilangLines{at::where(take_first.unsqueeze(1), first.tokens, second.tokens),
                          at::where(take_first, first.lengths, second.lengths), first.groups};
  };
  return {choose(first_wins), choose(first_wins.logical_not())};
}

double distinct_bigrams(const SentilangLines& lines) {
  std::set<int64_t> seen;
  const auto answers = lines.answers().contiguous();
  const auto* words = answers.const_data_ptr<int64_t>();
  const auto* lengths = lines.lengths.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < lines.size(); ++i, words += sentilang::answer_length)
    for (int64_t t = 1; t < lengths[i]; ++t) seen.insert(words[t - 1] * sentilang::vocabulary + words[t]);
  return static_cast<double>(seen.size());
}

PolicyMeasures measure_policy(const at::Tensor& logits, const at::Tensor& ref_log_probs,
                              const at::Tensor& prompts, Rng rng, SentilangLines* sample) {
  const at::NoGradGuard no_grad;
  const auto log_probs = logits.log_softmax(1);
  const auto lines = sample_answers(log_probs, prompts, rng);
  const auto rows = answer_rows(lines).reshape({-1});
  const auto mask = lines.mask();
  const auto at_rows = [&](const at::Tensor& values) {
    return values.index_select(0, rows).view(mask.sizes()).masked_select(mask);
  };
  const auto n = static_cast<double>(lines.size());
  const auto row_logits = logits.index_select(0, rows).view({lines.size(), sentilang::answer_length, -1});
  PolicyMeasures out;
  out.reward = gold_rewards(lines).mean().item<double>();
  out.kl = at_rows(row_kl(log_probs, ref_log_probs)).sum().item<double>() / n;
  out.length = lines.words().to(at::kDouble).mean().item<double>();
  out.entropy = token_entropy(row_logits, mask).entropy.item<double>();
  out.distinct_bigrams = distinct_bigrams(lines);
  if (sample) *sample = lines;
  return out;
}

void report_measures(const PolicyMeasures& m, const std::string& suffix, RunContext& context) {
  auto& summary = context.summary();
  summary.metric("reward" + suffix, m.reward);
  summary.metric("kl" + suffix, m.kl);
  summary.metric("length" + suffix, m.length);
  summary.metric("entropy" + suffix, m.entropy);
  summary.metric("bigrams" + suffix, m.distinct_bigrams);
}

}  // namespace plaudit
