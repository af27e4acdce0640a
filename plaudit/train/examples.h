// What the objectives on text share: which examples, shown, hashed and counted.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "plaudit/core/hash.h"
#include "plaudit/core/options.h"
#include "plaudit/data/answers.h"
#include "plaudit/model/transformer.h"

namespace plaudit {

// Pointers to the chosen examples, in order.
std::vector<const TokenizedAnswers*> select(const std::vector<TokenizedAnswers>& all,
                                            const std::vector<int64_t>& chosen);

// The chosen values as a tensor [chosen] like `like`, without gradient.
at::Tensor pick(const std::vector<double>& all, const std::vector<int64_t>& chosen, const at::Tensor& like);

// The text of prompt and answers, special tokens written out.
std::string show_answers(const Tokenizer& tokenizer, const TokenizedAnswers& example);

// Hash of all token ids and of the weights.
uint64_t hash_examples(const std::vector<TokenizedAnswers>& examples, const std::vector<double>& weights);

// Hash of what a run on text depends on besides its options: model, its precision, tokenizer and examples.
uint64_t hash_run(const LanguageModel& model, uint64_t examples);

// Hash of the options of a method.
template <class T>
uint64_t hash_options(const T& options) {
  return hash64(option_table<T>().write(options).dump());
}

// "examples", "prompts_cut", "answers_cut", "dropped", "tokens".
std::map<std::string, int64_t> as_map(const AnswerCounts& counts);

// UserErrors (value) when a weight is negative or not finite, or all are zero.
void check_weights(const std::string& where, const std::vector<double>& weights);

}  // namespace plaudit
