// Prompts with their answers as one packed batch, each prompt computed once, and what is read from it: the
// log-probabilities of the answers (policies) or one hidden state per answer (reward models).
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "plaudit/data/answers.h"
#include "plaudit/data/packing.h"
#include "plaudit/model/token_logps.h"
#include "plaudit/model/transformer.h"

namespace plaudit {

// Encodes examples for a model, within its window.
AnswerEncoder answer_encoder(const LanguageModel& model, const AnswerOptions& options, AnswerEnd end);

// A packed batch with the rows that predict the answers' tokens. Answers are numbered through all examples.
// A token counts when it belongs to an answer and something stands before it: the first token of an answer to
// an empty prompt does not. The last token of an answer predicts nothing and is not fed.
struct AnswerLogpBatch {
  PackedBatch packed;
  at::Tensor rows;               // [C] i64, the row of hidden() that predicts each counted token
  at::Tensor targets;            // [C] i64, the counted tokens
  at::Tensor owner;              // [C] i64, the answer of each
  std::vector<int64_t> lengths;  // [A] counted tokens per answer

  int64_t answers() const { return static_cast<int64_t>(lengths.size()); }
};

AnswerLogpBatch pack_for_logps(std::span<const TokenizedAnswers* const> examples);

// Log-probabilities of the counted tokens, [C] f32; differentiable; arguments as below.
at::Tensor answer_token_logps(const Transformer& model, const AnswerLogpBatch& batch, bool use_adapter = true,
                              double temperature = 1);

// The same with entropies and logsumexp of the logits.
TokenScores answer_token_scores(const Transformer& model, const AnswerLogpBatch& batch,
                                bool use_adapter = true, double temperature = 1);

// What stands at the counted tokens, [C], added up per answer, [A].
at::Tensor sum_per_answer(const AnswerLogpBatch& batch, const at::Tensor& per_token);

// Sums of the log-probabilities of the counted tokens, [A] f32; differentiable. `use_adapter` false asks the
// model without its adapter; logits are divided by `temperature`.
at::Tensor answer_logps(const Transformer& model, const AnswerLogpBatch& batch, bool use_adapter = true,
                        double temperature = 1);

struct AnswerTokenLogps {
  at::Tensor logps;  // [A,T] f32, differentiable; 0 under the mask
  at::Tensor mask;   // [A,T] bool, a left-aligned run of counted tokens
};

// The log-probabilities of the counted tokens, padded to the longest answer; arguments as above.
AnswerTokenLogps padded_answer_logps(const Transformer& model, const AnswerLogpBatch& batch,
                                     bool use_adapter = true, double temperature = 1);

// A packed batch with the rows that stand for each answer: "last" reads the answer's last token, "mean" the
// mean over prompt and answer.
struct AnswerPoolBatch {
  PackedBatch packed;
  at::Tensor last;     // [A] i64, row of the last token of each answer
  at::Tensor rows;     // [R] i64, rows of prompt and answer of each answer ...
  at::Tensor owner;    // [R] i64, ... and which answer that is
  at::Tensor lengths;  // [A] i64, rows per answer
};

AnswerPoolBatch pack_for_pooling(std::span<const TokenizedAnswers* const> examples);

// Pooled final hidden states [A, hidden] f32; differentiable. `pooling` is "last" or "mean".
at::Tensor pooled_hidden(const Transformer& model, const AnswerPoolBatch& batch, const std::string& pooling);

}  // namespace plaudit
