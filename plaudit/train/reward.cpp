#include "plaudit/train/reward.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/objective/preference_bradley_terry.h"
#include "plaudit/train/batches.h"
#include "plaudit/train/examples.h"

namespace plaudit {
namespace {

constexpr const char* kReward = "train.reward";

}  // namespace

template <>
void describe(OptionTable<RewardObjectiveOptions>& t) {
  t.field("label_smoothing", &RewardObjectiveOptions::label_smoothing, "probability that a label is wrong",
          between(0, 1));
  t.field("center_coef", &RewardObjectiveOptions::center_coef,
          "weight of the squared sum of both rewards, which keeps them around 0 (0.01 is usual)",
          at_least(0));
  t.field("use_margins", &RewardObjectiveOptions::use_margins,
          "ask for a difference of rewards: a pair's margin, or the difference of scores in a ranked list");
}

// The comparisons of some examples, answers numbered through all of them.
struct RewardObjective::Comparisons {
  at::Tensor better, worse;           // [P] i64
  at::Tensor target, margin, weight;  // [P]
};

RewardObjective::RewardObjective(std::shared_ptr<RewardModel> model, const std::vector<PreferencePair>& pairs,
                                 RewardObjectiveOptions options)
    : model_(std::move(model)), options_(options) {
  auto encoder = answer_encoder(model_->backbone(), model_->options().answers, AnswerEnd::closed);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto& pair = pairs[i];
    const auto place = fmt::format("pair {}", i);
    if (!(pair.label >= 0 && pair.label <= 1))
      fail(ErrorKind::value, kReward,
           fmt::format("label of {} must be in [0, 1], got {}", place, pair.label));
    if (options_.use_margins && !pair.margin)
      fail(ErrorKind::value, kReward, place + " has no margin, which use_margins asks for");
    const double margin = options_.use_margins ? *pair.margin : 0;
    if (pair.label == 0.5) ++counts_["undecided"];
    add(encoder, place, pair.prompt, {pair.chosen, pair.rejected}, {{0, 1, pair.label, margin, pair.weight}});
  }
  finish(encoder);
}

RewardObjective::RewardObjective(std::shared_ptr<RewardModel> model, const std::vector<RankedList>& lists,
                                 RewardObjectiveOptions options)
    : model_(std::move(model)), options_(options) {
  auto encoder = answer_encoder(model_->backbone(), model_->options().answers, AnswerEnd::closed);
  for (size_t i = 0; i < lists.size(); ++i) {
    const auto& list = lists[i];
    const auto place = fmt::format("list {}", i);
    if (options_.use_margins && list.scores.empty())
      fail(ErrorKind::value, kReward, place + " has no scores, which use_margins asks for");
    std::vector<Comparison> comparisons;
    const auto answers = static_cast<int64_t>(list.completions.size());
    for (int64_t a = 0; a < answers; ++a) {
      for (int64_t b = a + 1; b < answers; ++b) {
        // Without scores the list is best first.
        const double ahead = list.scores.empty() ? 1 : list.scores[a] - list.scores[b];
        if (ahead == 0) continue;
        comparisons.push_back(
            {ahead > 0 ? a : b, ahead > 0 ? b : a, 1, options_.use_margins ? std::abs(ahead) : 0, 1});
      }
    }
    if (comparisons.empty()) {
      ++counts_["tied"];
      continue;
    }
    for (auto& comparison : comparisons) comparison.weight = 1 / static_cast<double>(comparisons.size());
    add(encoder, place, list.prompt, list.completions, std::move(comparisons));
  }
  finish(encoder);
}

void RewardObjective::add(AnswerEncoder& encoder, const std::string& place, const Prompt& prompt,
                          const std::vector<std::string>& answers, std::vector<Comparison> comparisons) {
  auto example = encoder.encode(place, prompt, answers);
  if (!example) return;
  const auto& all = example->answers;
  if (std::all_of(all.begin(), all.end(), [&](const auto& answer) { return answer == all.front(); }))
    ++counts_["equal_answers"];
  first_answer_.push_back(first_answer_.empty()
                              ? 0
                              : first_answer_.back() + static_cast<int64_t>(examples_.back().answers.size()));
  examples_.push_back(std::move(*example));
  comparisons_.push_back(std::move(comparisons));
}

void RewardObjective::finish(const AnswerEncoder& encoder) {
  for (const auto& [name, count] : as_map(encoder.counts())) counts_[name] = count;
  if (examples_.empty())
    fail(ErrorKind::empty, kReward,
         counts_["dropped"] > 0 ? "every example is above max_length"
                                : "there are no examples with a better and a worse answer");
  if (counts_["equal_answers"] == size())
    fail(ErrorKind::value, kReward, "every example compares equal answers, so nothing can be learnt");
  std::vector<double> weights, rest;
  bool decided = false;
  for (const auto& comparisons : comparisons_) {
    for (const auto& comparison : comparisons) {
      weights.push_back(comparison.weight);
      decided = decided || comparison.target != 0.5;
      rest.insert(rest.end(), {comparison.target, comparison.margin, static_cast<double>(comparison.better)});
    }
  }
  check_weights(kReward, weights);
  if (!decided)
    fail(ErrorKind::value, kReward, "every comparison has label 0.5, so no answer is the better one");
  fingerprint_ = hash_run(model_->backbone(), hash_examples(examples_, weights) ^ hash_examples({}, rest) ^
                                                  hash_options(options_) ^ hash_options(model_->options()));
}

int64_t RewardObjective::tokens(int64_t example) const {
  const auto& own = examples_.at(static_cast<size_t>(example));
  return frozen() ? static_cast<int64_t>(own.answers.size()) : own.tokens();
}

std::vector<Parameter> RewardObjective::parameters() const {
  auto out = model_->backbone().transformer->trainable();
  for (const auto& parameter : model_->head()) out.push_back(parameter);
  return out;
}

BackboneKind RewardObjective::backbone_kind() const {
  if (model_->backbone().transformer->has_lora()) return BackboneKind::adapter;
  return frozen() ? BackboneKind::base : BackboneKind::full;
}

void RewardObjective::begin_pass(std::optional<uint64_t> dropout_key) {
  model_->backbone().transformer->set_dropout_key(dropout_key);
}

// The features of a frozen backbone, each rank its share; the sum over the ranks joins them.
bool RewardObjective::prepare(const TrainOptions& options, TrainContext& context) {
  if (!frozen() || cached_.defined()) return true;
  const at::NoGradGuard no_grad;
  const auto& ranks = context.collective;
  std::vector<int64_t> mine;
  for (int64_t i = ranks.rank; i < size(); i += ranks.world) mine.push_back(i);
  const auto count = [this](int64_t i) { return examples_[static_cast<size_t>(i)].tokens(); };
  const auto answers = first_answer_.back() + static_cast<int64_t>(examples_.back().answers.size());
  auto features = at::zeros({answers, model_->backbone().transformer->config().hidden},
                            model_->head().front().tensor.options().requires_grad(false));
  int64_t done = 0;
  bool interrupted = false;
  for (const auto& pass : micro_batches(mine, count, options.tokens_per_batch)) {
    interrupted = context.interrupt && context.interrupt();
    if (interrupted) break;
    features.index_copy_(0, answer_numbers(pass).to(features.device()),
                         model_->features(select(examples_, pass)).to(features.scalar_type()));
    done += static_cast<int64_t>(pass.size());
    if (context.progress && ranks.rank == 0)
      context.progress(done, static_cast<int64_t>(mine.size()), "features of the frozen backbone");
  }
  std::vector<at::Tensor> sums = {features, at::full({}, interrupted ? 1.0 : 0.0)};
  ranks.all_reduce_sum(sums);
  if (sums[1].item<double>() > 0) return false;
  cached_ = sums[0];
  return true;
}

// Numbers of the answers of some examples, among all answers.
at::Tensor RewardObjective::answer_numbers(const std::vector<int64_t>& examples) const {
  std::vector<int64_t> out;
  for (const auto i : examples) {
    const auto place = static_cast<size_t>(i);
    for (size_t k = 0; k < examples_[place].answers.size(); ++k)
      out.push_back(first_answer_[place] + static_cast<int64_t>(k));
  }
  return at::tensor(out, at::kLong);
}

at::Tensor RewardObjective::features(const std::vector<int64_t>& examples) const {
  if (!cached_.defined()) return model_->features(select(examples_, examples));
  return cached_.index_select(0, answer_numbers(examples).to(cached_.device()));
}

at::Tensor RewardObjective::answer_rewards(int64_t tokens_per_batch) const {
  const at::NoGradGuard no_grad;
  std::vector<int64_t> all(examples_.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<at::Tensor> rewards;
  for (const auto& pass : micro_batches(
           all, [this](int64_t i) { return tokens(i); }, tokens_per_batch))
    rewards.push_back(model_->rewards(features(pass)));
  return at::cat(rewards);
}

RewardObjective::Comparisons RewardObjective::gather(const std::vector<int64_t>& examples,
                                                     const at::Tensor& like) const {
  std::vector<int64_t> better, worse;
  std::vector<double> target, margin, weight;
  int64_t first = 0;
  for (const auto i : examples) {
    for (const auto& comparison : comparisons_[static_cast<size_t>(i)]) {
      better.push_back(first + comparison.better);
      worse.push_back(first + comparison.worse);
      target.push_back(comparison.target);
      margin.push_back(comparison.margin);
      weight.push_back(comparison.weight);
    }
    first += static_cast<int64_t>(examples_[static_cast<size_t>(i)].answers.size());
  }
  const auto options = like.options().requires_grad(false);
  const auto device = like.device();
  return {at::tensor(better, at::kLong).to(device), at::tensor(worse, at::kLong).to(device),
          at::tensor(target, options), at::tensor(margin, options), at::tensor(weight, options)};
}

StepLoss RewardObjective::loss(const std::vector<int64_t>& examples) {
  const auto rewards = model_->rewards(features(examples));
  const auto pairs = gather(examples, rewards);
  const auto chosen = rewards.index_select(0, pairs.better), rejected = rewards.index_select(0, pairs.worse);
  const double smoothing = options_.label_smoothing;
  const auto target = pairs.target * (1 - smoothing) + (1 - pairs.target) * smoothing;
  const auto losses =
      bradley_terry_loss(
          chosen, rejected,
          {.margin = pairs.margin, .label_smoothing = 1 - target, .center_coef = options_.center_coef})
          .losses;
  const double weight = pairs.weight.sum().item<double>();
  StepLoss out{(pairs.weight * losses).sum(), weight, {}};
  const auto put = [&](const char* name, const at::Tensor& values) {
    out.sums[name] = {(pairs.weight * values.detach()).sum(), weight};
  };
  const auto margin = (chosen - rejected).detach();
  put("margin", margin);
  put("rewards/chosen", chosen);
  put("rewards/rejected", rejected);
  const auto decided = pairs.weight * pairs.target.ne(0.5);
  out.sums["accuracy"] = {(decided * ((2 * pairs.target - 1) * margin).gt(0)).sum(),
                          decided.sum().item<double>()};
  return out;
}

std::string RewardObjective::show(int64_t example) const {
  return show_answers(*model_->backbone().tokenizer, examples_.at(static_cast<size_t>(example)));
}

}  // namespace plaudit
