#include "plaudit/train/supervised.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/train/examples.h"

namespace plaudit {

SupervisedObjective::SupervisedObjective(LanguageModel model,
                                         const std::vector<Demonstration>& demonstrations,
                                         const AnswerOptions& answers)
    : model_(std::move(model)) {
  auto encoder = answer_encoder(model_, answers, AnswerEnd::cut);
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
}

int64_t SupervisedObjective::tokens(int64_t example) const {
  return examples_.at(static_cast<size_t>(example)).tokens();
}

StepLoss SupervisedObjective::loss(const std::vector<int64_t>& examples) {
  const auto batch = pack_for_logps(select(examples_, examples));
  const auto logps = answer_logps(*model_.transformer, batch);
  const auto weights = pick(weights_, examples, logps);
  double weight = 0;
  for (size_t i = 0; i < examples.size(); ++i)
    weight += weights_[static_cast<size_t>(examples[i])] * static_cast<double>(batch.lengths[i]);
  return {-(logps * weights).sum(), weight, {}};
}

std::string SupervisedObjective::show(int64_t example) const {
  return show_answers(*model_.tokenizer, examples_.at(static_cast<size_t>(example)));
}

std::map<std::string, int64_t> SupervisedObjective::counts() const {
  return as_map(counts_);
}

}  // namespace plaudit
