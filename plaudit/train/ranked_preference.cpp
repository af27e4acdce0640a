#include "plaudit/train/ranked_preference.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/objective/preference_ranking.h"
#include "plaudit/train/examples.h"

namespace plaudit {
namespace {

constexpr const char* kRankedPreference = "train.plackett_luce";

// The texts, best first, without ties.
std::vector<std::string> in_order(const RankedList& list, int64_t& left_out) {
  std::vector<size_t> order(list.completions.size());
  std::iota(order.begin(), order.end(), 0);
  if (!list.scores.empty())
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return list.scores[a] > list.scores[b]; });
  std::vector<std::string> out;
  std::set<std::string> texts;
  std::set<double> scores;
  for (const auto i : order) {
    const bool tie = !list.scores.empty() && !scores.insert(list.scores[i]).second;
    if (tie || !texts.insert(list.completions[i]).second)
      ++left_out;
    else
      out.push_back(list.completions[i]);
  }
  return out;
}

}  // namespace

template <>
void describe(OptionTable<RankedPreferenceOptions>& t) {
  t.field("beta", &RankedPreferenceOptions::beta, "strength of the pull to the reference", greater_than(0));
  describe_reference(t);
  t.field("answers", &RankedPreferenceOptions::answers, "lengths");
}

RankedPreferenceObjective::RankedPreferenceObjective(LanguageModel policy,
                                                     const std::vector<RankedList>& lists,
                                                     RankedPreferenceOptions options,
                                                     std::shared_ptr<Transformer> reference)
    : ReferenceObjective(std::move(policy), reference_options(options), /*needed=*/true,
                         std::move(reference)),
      options_(std::move(options)) {
  auto encoder = answer_encoder(policy_, options_.answers, AnswerEnd::cut);
  int64_t tied = 0, short_lists = 0;
  for (size_t i = 0; i < lists.size(); ++i) {
    const auto texts = in_order(lists[i], tied);
    if (texts.size() < 2) {
      ++short_lists;
      continue;
    }
    auto example = encoder.encode(fmt::format("list {}", i), lists[i].prompt, texts);
    if (example) examples_.push_back(std::move(*example));
  }
  if (examples_.empty())
    fail(ErrorKind::empty, kRankedPreference,
         lists.empty() ? "there are no lists"
                       : "no list has two answers that differ in text and score and fit into max_length");
  counts_ = as_map(encoder.counts());
  counts_["tied_answers"] = tied;
  counts_["short_lists"] = short_lists;
  options_.reference_file.clear();  // where the cache lies changes nothing
  fingerprint_ = hash_run(policy_, hash_examples(examples_, {}) ^ hash_options(options_));
}

int64_t RankedPreferenceObjective::tokens(int64_t example) const {
  return examples_.at(static_cast<size_t>(example)).tokens();
}

StepLoss RankedPreferenceObjective::loss(const std::vector<int64_t>& examples) {
  std::map<size_t, std::vector<int64_t>> by_size;
  for (const auto i : examples) by_size[examples_.at(static_cast<size_t>(i)).answers.size()].push_back(i);
  StepLoss out;
  for (const auto& [size, lists] : by_size) add_lists_of_one_size(lists, out);
  return out;
}

void RankedPreferenceObjective::add_lists_of_one_size(const std::vector<int64_t>& examples,
                                                      StepLoss& out) const {
  const auto k = static_cast<int64_t>(examples_[static_cast<size_t>(examples[0])].answers.size());
  std::vector<int64_t> columns(static_cast<size_t>(k));
  std::iota(columns.begin(), columns.end(), 0);
  const auto batch = pack_for_logps(select(examples_, examples));
  const auto logps = answer_logps(*policy_.transformer, batch).view({-1, k});
  const auto reference = reference_.logps(examples, columns, batch).to(logps.options().requires_grad(false));
  const auto losses = dpo_plackett_luce_loss(logps, reference, options_.beta).losses;
  const auto lists = static_cast<double>(examples.size());
  out.loss_sum = out.loss_sum.defined() ? out.loss_sum + losses.sum() : losses.sum();
  out.weight += lists;
  const auto rewards = options_.beta * (logps.detach() - reference);
  const auto add = [&](const char* name, const at::Tensor& sum, double weight) {
    auto& total = out.sums[name];
    total = {total.sum.defined() ? total.sum + sum : sum, total.weight + weight};
  };
  add("rewards/best", rewards.select(1, 0).sum(), lists);
  add("rewards/worst", rewards.select(1, k - 1).sum(), lists);
  add("rewards/accuracy", rewards.select(1, 0).gt(rewards.narrow(1, 1, k - 1).amax(1)).sum(), lists);
  if (!reference_.free()) add("kl", (reference - logps.detach()).sum(), lists * static_cast<double>(k));
}

bool RankedPreferenceObjective::prepare(const TrainOptions& options, TrainContext& context) {
  return reference_.prepare(examples_, options, context);
}

std::string RankedPreferenceObjective::show(int64_t example) const {
  return show_answers(*policy_.tokenizer, examples_.at(static_cast<size_t>(example)));
}

}  // namespace plaudit
