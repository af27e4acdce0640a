#include "plaudit/model/answer_batch.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

// Collects rows, targets and owners while segments are added.
class LogpCollector {
 public:
  void add(const TokenizedAnswers& example) {
    // A single answer continues its prompt in one plain causal segment.
    if (example.answers.size() == 1 || example.prompt.empty()) {
      for (const auto& answer : example.answers) add_row(example.prompt, answer);
      return;
    }
    const auto prompt = packer_.add(example.prompt);
    const int64_t prompt_end = packer_.tokens();
    for (const auto& answer : example.answers) {
      const int64_t begin = packer_.tokens();
      if (answer.size() > 1) packer_.add({answer.begin(), answer.end() - 1}, prompt);
      for (size_t i = 0; i < answer.size(); ++i)
        count(i == 0 ? prompt_end - 1 : begin + static_cast<int64_t>(i) - 1, answer[i]);
      finish_answer();
    }
  }

  AnswerLogpBatch build() && {
    return {packer_.build(), at::tensor(rows_, at::kLong), at::tensor(targets_, at::kLong),
            at::tensor(owner_, at::kLong), std::move(lengths_)};
  }

 private:
  void add_row(std::vector<int64_t> ids, const std::vector<int64_t>& answer) {
    const int64_t begin = packer_.tokens();
    const auto prompt_size = ids.size();
    ids.insert(ids.end(), answer.begin(), answer.end());
    for (size_t i = std::max<size_t>(prompt_size, 1); i < ids.size(); ++i)
      count(begin + static_cast<int64_t>(i) - 1, ids[i]);
    ids.pop_back();
    packer_.add(ids);
    finish_answer();
  }

  void count(int64_t row, int64_t target) {
    rows_.push_back(row);
    targets_.push_back(target);
    owner_.push_back(static_cast<int64_t>(lengths_.size()));
  }

  void finish_answer() {
    const auto before = counted_;
    counted_ = rows_.size();
    lengths_.push_back(static_cast<int64_t>(counted_ - before));
  }

  PackedBuilder packer_;
  std::vector<int64_t> rows_, targets_, owner_, lengths_;
  size_t counted_ = 0;
};

}  // namespace

AnswerEncoder answer_encoder(const LanguageModel& model, const AnswerOptions& options, AnswerEnd end) {
  return {model.tokenizer, model.chat_family, options, end, model.transformer->config().context};
}

AnswerLogpBatch pack_for_logps(std::span<const TokenizedAnswers* const> examples) {
  LogpCollector collector;
  for (const auto* example : examples) collector.add(*example);
  return std::move(collector).build();
}

TokenScores answer_token_scores(const Transformer& model, const AnswerLogpBatch& batch, bool use_adapter,
                                double temperature) {
  const auto hidden = model.hidden(batch.packed, use_adapter);
  const auto rows = hidden.index_select(0, batch.rows.to(hidden.device()));
  return model.token_scores(rows, batch.targets.to(hidden.device()), temperature);
}

at::Tensor answer_token_logps(const Transformer& model, const AnswerLogpBatch& batch, bool use_adapter,
                              double temperature) {
  return answer_token_scores(model, batch, use_adapter, temperature).logps;
}

at::Tensor sum_per_answer(const AnswerLogpBatch& batch, const at::Tensor& per_token) {
  return at::zeros({batch.answers()}, per_token.options())
      .index_add(0, batch.owner.to(per_token.device()), per_token);
}

at::Tensor answer_logps(const Transformer& model, const AnswerLogpBatch& batch, bool use_adapter,
                        double temperature) {
  return sum_per_answer(batch, answer_token_logps(model, batch, use_adapter, temperature));
}

AnswerTokenLogps padded_answer_logps(const Transformer& model, const AnswerLogpBatch& batch, bool use_adapter,
                                     double temperature) {
  const auto logps = answer_token_logps(model, batch, use_adapter, temperature);
  const auto device = logps.device();
  const auto longest =
      batch.lengths.empty() ? 0 : *std::max_element(batch.lengths.begin(), batch.lengths.end());
  std::vector<int64_t> places;
  for (int64_t a = 0; a < batch.answers(); ++a)
    for (int64_t t = 0; t < batch.lengths[static_cast<size_t>(a)]; ++t) places.push_back(a * longest + t);
  const auto place = at::tensor(places, at::kLong).to(device);
  const auto size = batch.answers() * longest;
  const auto shape = {batch.answers(), longest};
  return {at::zeros({size}, logps.options().requires_grad(false)).index_copy(0, place, logps).view(shape),
          at::zeros({size}, logps.options().requires_grad(false).dtype(at::kBool))
              .index_fill(0, place, true)
              .view(shape)};
}

AnswerPoolBatch pack_for_pooling(std::span<const TokenizedAnswers* const> examples) {
  PackedBuilder packer;
  std::vector<int64_t> last, rows, owner, lengths;
  for (const auto* example : examples) {
    const int64_t prompt_begin = packer.tokens();
    const int64_t prompt = example->prompt.empty() ? -1 : packer.add(example->prompt);
    const int64_t prompt_end = packer.tokens();
    for (const auto& answer : example->answers) {
      const int64_t begin = packer.tokens();
      packer.add(answer, prompt);
      for (int64_t row = prompt_begin; row < prompt_end; ++row) rows.push_back(row);
      for (int64_t row = begin; row < packer.tokens(); ++row) rows.push_back(row);
      const auto total = prompt_end - prompt_begin + packer.tokens() - begin;
      owner.insert(owner.end(), static_cast<size_t>(total), static_cast<int64_t>(lengths.size()));
      lengths.push_back(total);
      last.push_back(packer.tokens() - 1);
    }
  }
  return {packer.build(), at::tensor(last, at::kLong), at::tensor(rows, at::kLong),
          at::tensor(owner, at::kLong), at::tensor(lengths, at::kLong)};
}

at::Tensor pooled_hidden(const Transformer& model, const AnswerPoolBatch& batch, const std::string& pooling) {
  const auto hidden = model.hidden(batch.packed);
  const auto device = hidden.device();
  if (pooling == "last") return as_real(hidden.index_select(0, batch.last.to(device)));
  if (pooling != "mean")
    fail(ErrorKind::value, "pooling",
         "unknown value '" + pooling + "'" + suggestion(pooling, {"last", "mean"}));
  const auto rows = as_real(hidden.index_select(0, batch.rows.to(device)));
  const auto sums = at::zeros({batch.last.numel(), rows.size(1)}, rows.options())
                        .index_add(0, batch.owner.to(device), rows);
  return sums / batch.lengths.to(device).unsqueeze(1);
}

}  // namespace plaudit
