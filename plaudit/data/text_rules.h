// Cheap rules on answers: length, repeated n-grams, copied words.
//
// Words are maximal runs of characters that are not white space. Rules of Kim et al., 2024, arXiv 2402.03469
// (rewards) and Rosset et al., 2024, arXiv 2404.03715 (filter). UserErrors: no text (empty), unequal numbers
// of texts (shape), unit <= 0 or n < 1 (value).
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

struct LengthIncentive {
  Tensor value;  // [B] f64, words/unit
  Tensor words;  // [B] i64
};
LengthIncentive length_incentive(const std::vector<std::string>& texts, double unit = 100);

// Distinct word n-grams over all of them, case-sensitive; 1 for a text of fewer than n words. [B] f64.
Tensor repetition_penalty(const std::vector<std::string>& texts, int64_t n = 3);

// The same on the valid tokens of each row, in order: `tokens` [B,T] of integers, `mask` [B,T].
Tensor repetition_penalty_tokens(const Tensor& tokens, const Tensor& mask, int64_t n = 3);

// 1 - distinct/total n-grams of a token sequence; 0 when it is shorter than n.
double ngram_repetition(const std::vector<int64_t>& tokens, int64_t n = 4);

// Share of the words of each response that occur in its query whatever their case; 0 for an empty
// response. [B] f64.
Tensor copy_rate(const std::vector<std::string>& queries, const std::vector<std::string>& responses);

}  // namespace plaudit
