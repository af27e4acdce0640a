#include "plaudit/train/supervised.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/train/examples.h"
#include "plaudit/train/frozen_pass.h"

namespace plaudit {

SupervisedObjective::SupervisedObjective(LanguageModel model,
                                         const std::vector<Demonstration>& demonstrations,
                                         const SupervisedOptions& options)
    : model_(std::move(model)), options_(options) {
  auto encoder = answer_encoder(model_, options_.answers, AnswerEnd::cut);
  for (size_t i = 0; i < demonstrations.size(); ++i) {
    const auto& demonstration = demonstrations[i];
    auto example =
        encoder.encode(fmt::format("demonstration {}", i), demonstration.prompt, {demonstration.completion});
    if (!example) continue;
    examples_.push_back(std::move(*example));
    weights_.push_back(demonstration.weight);
  }
  counts_ = encoder.counts();
  if (examples_.empty())
    fail(ErrorKind::empty, "train.supervised",
         demonstrations.empty() ? "there are no demonstrations" : "every demonstration is above max_length");
  check_weights("train.supervised", weights_);
  fingerprint_ = hash_run(model_, hash_examples(examples_, weights_));
  if (options_.td_weight > 0) fingerprint_ ^= hash_examples({}, {options_.td_weight, options_.discount});
}

int64_t SupervisedObjective::tokens(int64_t example) const {
  return examples_.at(static_cast<size_t>(example)).tokens();
}

std::vector<std::string> SupervisedObjective::metric_names() const {
  return options_.td_weight > 0 ? std::vector<std::string>{"nll", "td"} : std::vector<std::string>{};
}

bool SupervisedObjective::prepare(const TrainOptions& options, TrainContext& context) {
  if (options_.td_weight == 0) return true;
  auto sums = at::zeros({2}, at::kDouble);  // of the values, and how many
  const auto pass = [&](const std::vector<int64_t>& part) {
    const auto values =
        answer_token_scores(*model_.transformer, pack_for_logps(select(examples_, part))).lse.to(at::kDouble);
    sums += at::stack({values.sum().cpu(), at::full({}, static_cast<double>(values.numel()), at::kDouble)});
  };
  const auto count = [&](int64_t i) { return tokens(i); };
  if (!frozen_pass(size(), count, pass, sums, "values of the model", options, context)) return false;
  offset_ = (sums[0] / sums[1]).item<double>();
  return true;
}

at::Tensor SupervisedObjective::residuals(const std::vector<int64_t>& examples, const AnswerLogpBatch& batch,
                                          const TokenScores& scores) const {
  const auto values = scores.lse - offset_;
  const auto q = scores.logps + values;
  // The value behind each token: that of the next, 0 behind the end, unknown where the completion was cut.
  auto has_next = at::ones({values.numel()}), known = at::ones({values.numel()});
  int64_t last = -1;
  for (size_t k = 0; k < batch.lengths.size(); ++k) {
    last += batch.lengths[k];
    if (batch.lengths[k] == 0) continue;
    has_next[last] = 0;
    const auto& answer = examples_[static_cast<size_t>(examples[k])].answers[0];
    if (answer.back() != model_.tokenizer->eos_id()) known[last] = 0;
  }
  const auto next = at::cat({values.narrow(0, 1, values.numel() - 1), at::zeros({1}, values.options())});
  return (q - options_.discount * next * has_next.to(values.options())) * known.to(values.options());
}

StepLoss SupervisedObjective::loss(const std::vector<int64_t>& examples) {
  const auto batch = pack_for_logps(select(examples_, examples));
  const bool with_td = options_.td_weight > 0;
  const auto scores = with_td ? answer_token_scores(*model_.transformer, batch)
                              : TokenScores{answer_token_logps(*model_.transformer, batch), {}, {}};
  const auto logps = sum_per_answer(batch, scores.logps);
  const auto weights = pick(weights_, examples, logps);
  double weight = 0;
  for (size_t i = 0; i < examples.size(); ++i)
    weight += weights_[static_cast<size_t>(examples[i])] * static_cast<double>(batch.lengths[i]);
  const auto nll = -(logps * weights).sum();
  if (!with_td) return {nll, weight, {}};
  const auto td = (sum_per_answer(batch, residuals(examples, batch, scores).square()) * weights).sum();
  return {nll + options_.td_weight * td,
          weight,
          {{"nll", {nll.detach(), weight}}, {"td", {td.detach(), weight}}}};
}

std::string SupervisedObjective::show(int64_t example) const {
  return show_answers(*model_.tokenizer, examples_.at(static_cast<size_t>(example)));
}

std::map<std::string, int64_t> SupervisedObjective::counts() const {
  return as_map(counts_);
}

}  // namespace plaudit
