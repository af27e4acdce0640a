#include "plaudit/eval/text_diversity.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "plaudit/core/masked.h"
#include "plaudit/core/masked_checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

using Ngram = std::vector<int64_t>;
using Counts = std::map<Ngram, int64_t>;

Counts count_ngrams(const Ngram& tokens, size_t n) {
  Counts counts;
  for (size_t i = 0; i + n <= tokens.size(); ++i)
    ++counts[Ngram(tokens.begin() + static_cast<std::ptrdiff_t>(i),
                   tokens.begin() + static_cast<std::ptrdiff_t>(i + n))];
  return counts;
}

// The largest counts of an n-gram in one sequence, and the second largest by another: so each sequence can be
// compared with all others without counting them again.
struct TopCounts {
  int64_t best = 0, second = 0;
  size_t owner = 0;
};

double brevity_penalty(const TokenLists& sequences, size_t self) {
  const auto length = static_cast<int64_t>(sequences[self].size());
  int64_t closest = -1;
  for (size_t i = 0; i < sequences.size(); ++i) {
    const auto other = static_cast<int64_t>(sequences[i].size());
    const auto gap = std::abs(other - length), best = std::abs(closest - length);
    if (i != self && (closest < 0 || gap < best || (gap == best && other < closest))) closest = other;
  }
  return length >= closest ? 1 : std::exp(1 - static_cast<double>(closest) / static_cast<double>(length));
}

}  // namespace

double distinct_n(const TokenLists& sequences, int64_t n) {
  Check("eval.distinct_n").that(n >= 1, "n", ">= 1", n);
  std::set<Ngram> distinct;
  int64_t total = 0;
  for (const auto& tokens : sequences) {
    for (const auto& [ngram, count] : count_ngrams(tokens, static_cast<size_t>(n))) {
      distinct.insert(ngram);
      total += count;
    }
  }
  return total == 0 ? 0 : static_cast<double>(distinct.size()) / static_cast<double>(total);
}

SelfBleu self_bleu(const TokenLists& sequences, int64_t max_n) {
  const Check check("eval.self_bleu");
  if (sequences.size() < 2) check.refuse(ErrorKind::empty, "sequences", "must hold at least two sequences");
  check.that(max_n >= 1, "max_n", ">= 1", max_n);
  std::vector<double> log_precision(sequences.size(), 0);
  for (int64_t n = 1; n <= max_n; ++n) {
    std::vector<Counts> counts;
    std::map<Ngram, TopCounts> top;
    for (size_t i = 0; i < sequences.size(); ++i) {
      counts.push_back(count_ngrams(sequences[i], static_cast<size_t>(n)));
      for (const auto& [ngram, count] : counts.back()) {
        auto& entry = top[ngram];
        if (count > entry.best) {
          entry = {count, entry.best, i};
        } else {
          entry.second = std::max(entry.second, count);
        }
      }
    }
    for (size_t i = 0; i < sequences.size(); ++i) {
      double matched = n > 1, total = n > 1;  // add one above unigrams
      for (const auto& [ngram, count] : counts[i]) {
        const auto& entry = top[ngram];
        matched += static_cast<double>(std::min(count, entry.owner == i ? entry.second : entry.best));
        total += static_cast<double>(count);
      }
      log_precision[i] += total > 0 && matched > 0 ? std::log(matched / total) : -INFINITY;
    }
  }
  SelfBleu result{0, {}};
  for (size_t i = 0; i < sequences.size(); ++i) {
    const double bleu = sequences[i].empty() ? 0
                                             : brevity_penalty(sequences, i) *
                                                   std::exp(log_precision[i] / static_cast<double>(max_n));
    result.per_sequence.push_back(bleu);
    result.self_bleu += bleu / static_cast<double>(sequences.size());
  }
  return result;
}

TokenEntropy token_entropy(const Tensor& logits, const Tensor& mask) {
  const Check check("eval.token_entropy");
  check.not_empty("logits", logits);
  check.not_empty("mask", mask);
  check.dim("logits", logits, 3);
  check.shape("mask", mask, {logits.size(0), logits.size(1)});
  check_rows(check, mask, ValidRows::some);
  check.finite("logits", keep_valid(as_real(logits), mask.unsqueeze(-1)));
  const auto logp = at::log_softmax(keep_valid(as_real(logits), mask.unsqueeze(-1)), -1);
  const auto p = logp.exp();
  const auto per_token = keep_valid(-at::where(p > 0, p * logp, at::zeros_like(p)).sum(-1), mask);
  return {masked_mean(per_token, mask), per_token};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("distinct_n(int[][] sequences, int n=2) -> (float distinct)",
        [](const TokenLists& sequences, int64_t n) { return distinct_n(sequences, n); },
        "Share of n-grams that are distinct.", {"12", "41"});
  m.def("self_bleu(int[][] sequences, int max_n=4) -> (float self_bleu, float[] per_sequence)",
        [](const TokenLists& sequences, int64_t max_n) { return as_tuple(self_bleu(sequences, max_n)); },
        "Similarity of sampled sequences to each other; lower is more diverse.", {"12"});
  m.def("token_entropy(Tensor logits, Tensor mask) -> (Tensor entropy, Tensor per_token)",
        [](const Tensor& logits, const Tensor& mask) { return as_tuple(token_entropy(logits, mask)); },
        "Entropy of the next-token law.", {"12"});
}

}  // namespace plaudit
