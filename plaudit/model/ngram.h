// A policy over sentilang lines whose logits stand in a table: row = 5 * the previous word + the class of the
// one before it. With several groups there is one table per group (an instruction, say), end to end.
//
// The columns of PAD and BOS are fixed at -30. f64. A copy shares its weights; clone() does not.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/env/sentilang.h"
#include "plaudit/model/transformer.h"

namespace plaudit {

class NgramPolicy {
 public:
  static constexpr int64_t rows_per_group = sentilang::vocabulary * sentilang::classes;

  // A table of zeros: uniform over the words that are not fixed.
  static NgramPolicy table(int64_t groups = 1);
  // The table as a product [rows, rank] x [rank, vocabulary] of normal draws with deviation `scale`.
  static NgramPolicy factored(int64_t rank, double scale, Rng rng);
  // From the tensors of parameters(), in that order.
  static NgramPolicy from_weights(std::vector<at::Tensor> weights);

  // The logits of every row, [groups * 215, 43]; with a gradient to the weights unless it is switched off.
  at::Tensor logits() const;
  at::Tensor log_probs() const;

  std::vector<Parameter> parameters() const;
  NgramPolicy clone() const;

 private:
  std::vector<at::Tensor> weights_;  // [rows, 41], or the two factors [rows, rank] and [41, rank]
};

// The row of the table that predicts each word of the answers, [N,12]; 0 behind the end.
at::Tensor answer_rows(const SentilangLines& lines);

// What a table [rows, 43] of log-probabilities (or anything else) says of each word of the answers, [N,12];
// 0 behind the end.
at::Tensor answer_values(const at::Tensor& table, const SentilangLines& lines);

// The same for all words after BOS, [N,15], with the mask of those that are there.
struct LineValues {
  at::Tensor values, mask;
};
LineValues line_values(const at::Tensor& table, const SentilangLines& lines);

// One answer behind each prompt [N,4], drawn from the table. `groups` [N] chooses the table of each line;
// undefined: group 0.
SentilangLines sample_answers(const at::Tensor& log_probs, const at::Tensor& prompts, Rng& rng,
                              const at::Tensor& groups = {});

// The same where the law of a word is what `law(line, answer so far, its length, row)` writes into `probs`
// [43], which comes holding the probabilities of the table.
using WordLaw =
    std::function<void(int64_t line, const int64_t* answer, int64_t length, int64_t row, double* probs)>;
SentilangLines sample_answers(const at::Tensor& log_probs, const at::Tensor& prompts, Rng& rng,
                              const at::Tensor& groups, const WordLaw& law);

// KL of a policy from another at each row, exact, [rows].
at::Tensor row_kl(const at::Tensor& log_probs, const at::Tensor& ref_log_probs);

}  // namespace plaudit
