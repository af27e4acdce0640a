#include "plaudit/model/ngram.h"

#include <ATen/ATen.h>

#include "plaudit/core/errors.h"
#include "plaudit/core/masked.h"

namespace plaudit {

using namespace sentilang;

namespace {

constexpr int64_t fixed_columns = 2;  // PAD and BOS come first
constexpr double fixed_logit = -30;

at::Tensor leaf(at::Tensor values) {
  return values.detach().clone().set_requires_grad(true);
}

int64_t row_of(int64_t group, int64_t previous, int64_t before) {
  return (group * vocabulary + previous) * classes + class_of(before);
}

// The row that predicts word t+1 of each line, for t = 0..T-2, [N,T-1].
at::Tensor rows_of(const SentilangLines& lines) {
  const auto& tokens = lines.tokens;
  const auto previous = tokens.narrow(1, 0, tokens.size(1) - 1);
  const auto kinds = word_classes().index({previous.narrow(1, 0, previous.size(1) - 1)});
  const auto before = at::cat({at::zeros({tokens.size(0), 1}, at::kLong), kinds}, 1);
  return (lines.groups.unsqueeze(1) * vocabulary + previous) * classes + before;
}

// Draws from probabilities that sum to about 1.
int64_t draw(const double* probs, double u) {
  double left = u;
  int64_t last = 0;
  for (int64_t word = 0; word < vocabulary; ++word) {
    if (probs[word] <= 0) continue;
    last = word;
    left -= probs[word];
    if (left < 0) return word;
  }
  return last;
}

at::Tensor gather_cells(const at::Tensor& table, const at::Tensor& rows, const at::Tensor& words) {
  return table.reshape({-1}).index_select(0, (rows * vocabulary + words).reshape({-1})).view(rows.sizes());
}

}  // namespace

NgramPolicy NgramPolicy::table(int64_t groups) {
  return from_weights({at::zeros({groups * rows_per_group, vocabulary - fixed_columns}, at::kDouble)});
}

NgramPolicy NgramPolicy::factored(int64_t rank, double scale, Rng rng) {
  return from_weights({scale * rng.normal_tensor({rows_per_group, rank}, at::kDouble),
                       scale * rng.normal_tensor({vocabulary - fixed_columns, rank}, at::kDouble)});
}

NgramPolicy NgramPolicy::from_weights(std::vector<at::Tensor> weights) {
  NgramPolicy out;
  for (const auto& weight : weights) out.weights_.push_back(leaf(weight));
  return out;
}

at::Tensor NgramPolicy::logits() const {
  const auto free = weights_.size() == 1 ? weights_[0] : weights_[0].matmul(weights_[1].t());
  return at::cat({at::full({free.size(0), fixed_columns}, fixed_logit, at::kDouble), free}, 1);
}

at::Tensor NgramPolicy::log_probs() const {
  return logits().log_softmax(1);
}

std::vector<Parameter> NgramPolicy::parameters() const {
  std::vector<Parameter> out;
  for (size_t i = 0; i < weights_.size(); ++i) out.push_back({"ngram." + std::to_string(i), weights_[i]});
  return out;
}

NgramPolicy NgramPolicy::clone() const {
  return from_weights(weights_);
}

at::Tensor answer_rows(const SentilangLines& lines) {
  return keep_valid(rows_of(lines).narrow(1, prompt_length - 1, answer_length), lines.mask());
}

at::Tensor answer_values(const at::Tensor& table, const SentilangLines& lines) {
  return keep_valid(gather_cells(table, answer_rows(lines), lines.answers()), lines.mask());
}

LineValues line_values(const at::Tensor& table, const SentilangLines& lines) {
  const auto words = lines.tokens.narrow(1, 1, lines.tokens.size(1) - 1);
  const auto mask = at::cat({at::ones({lines.size(), prompt_length - 1}, at::kBool), lines.mask()}, 1);
  return {keep_valid(gather_cells(table, rows_of(lines), words), mask), mask};
}

SentilangLines sample_answers(const at::Tensor& log_probs, const at::Tensor& prompts, Rng& rng,
                              const at::Tensor& groups) {
  return sample_answers(log_probs, prompts, rng, groups, nullptr);
}

SentilangLines sample_answers(const at::Tensor& log_probs, const at::Tensor& prompts, Rng& rng,
                              const at::Tensor& groups, const WordLaw& law) {
  const int64_t count = prompts.size(0), width = prompt_length + answer_length;
  const auto table = log_probs.detach().exp().contiguous();
  const auto* probs = table.const_data_ptr<double>();
  SentilangLines out{at::zeros({count, width}, at::kLong), at::full({count}, answer_length, at::kLong),
                     groups.defined() ? groups : at::zeros({count}, at::kLong)};
  out.prompts().copy_(prompts);
  auto* words = out.tokens.mutable_data_ptr<int64_t>();
  auto* lengths = out.lengths.mutable_data_ptr<int64_t>();
  const auto group_of = out.groups.contiguous();
  std::array<double, vocabulary> changed{};
  for (int64_t i = 0; i < count; ++i, words += width) {
    auto* answer = words + prompt_length;
    for (int64_t t = 0; t < answer_length; ++t) {
      const auto row = row_of(group_of.const_data_ptr<int64_t>()[i], answer[t - 1], answer[t - 2]);
      const double* drawn = probs + row * vocabulary;
      if (law) {
        std::copy(drawn, drawn + vocabulary, changed.begin());
        law(i, answer, t, row, changed.data());
        drawn = changed.data();
      }
      answer[t] = draw(drawn, rng.uniform());
      if (answer[t] != eos) continue;
      lengths[i] = t + 1;
      break;
    }
  }
  return out;
}

at::Tensor row_kl(const at::Tensor& log_probs, const at::Tensor& ref_log_probs) {
  return (log_probs.exp() * (log_probs - ref_log_probs)).sum(1);
}

}  // namespace plaudit
