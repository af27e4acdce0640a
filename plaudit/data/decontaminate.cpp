#include "plaudit/data/decontaminate.h"

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/tensors.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

// The n-gram that starts at `begin`, as one string that no other n-gram can equal.
std::string ngram(const Tokens& tokens, size_t begin, size_t n) {
  std::string key;
  for (size_t i = begin; i < begin + n; ++i) key.append(tokens[i]).push_back('\0');
  return key;
}

size_t ngram_count(const Tokens& tokens, size_t n) {
  return tokens.size() < n ? 0 : tokens.size() - n + 1;
}

// The share of tokens that lie in an n-gram starting at a marked position.
double covered_share(const std::vector<bool>& starts, size_t tokens, size_t n) {
  size_t covered = 0, end = 0;  // tokens before `end` are counted
  for (size_t i = 0; i < starts.size(); ++i) {
    if (!starts[i]) continue;
    covered += i + n - std::max(end, i);
    end = i + n;
  }
  return static_cast<double>(covered) / static_cast<double>(tokens);
}

// Where the n-grams of the test texts stand.
class TestIndex {
 public:
  TestIndex(const std::vector<Tokens>& tests, size_t n) : tests_(tests), n_(n) {
    for (size_t q = 0; q < tests.size(); ++q) {
      for (size_t i = 0; i < ngram_count(tests[q], n); ++i) places_[ngram(tests[q], i, n)].push_back({q, i});
    }
  }

  // Coverage of each test text that shares an n-gram with the document.
  std::unordered_map<size_t, double> coverage(const Tokens& document) const {
    std::unordered_map<size_t, std::vector<bool>> starts;
    for (size_t i = 0; i < ngram_count(document, n_); ++i) {
      const auto found = places_.find(ngram(document, i, n_));
      if (found == places_.end()) continue;
      for (const auto& [q, position] : found->second) {
        auto& marks = starts[q];
        marks.resize(ngram_count(tests_[q], n_));
        marks[position] = true;
      }
    }
    std::unordered_map<size_t, double> shares;
    for (const auto& [q, marks] : starts) shares[q] = covered_share(marks, tests_[q].size(), n_);
    return shares;
  }

 private:
  const std::vector<Tokens>& tests_;
  size_t n_;
  std::unordered_map<std::string, std::vector<std::pair<size_t, size_t>>> places_;
};

}  // namespace

Tokens decontamination_tokens(const std::string& text) {
  constexpr std::string_view separators = " .,?!:;()\"-\n\\";
  Tokens tokens;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) tokens.push_back(std::move(word));
    word.clear();
  };
  const auto valid = repair_utf8(text);
  for (size_t pos = 0; pos < valid.size();) {
    const auto c = next_code_point(valid, pos);
    if (c < 0x80 && separators.find(static_cast<char>(c)) != std::string_view::npos) {
      finish();
    } else {
      append_lower(word, c);
    }
  }
  finish();
  return tokens;
}

NgramOverlap ngram_overlap(const Tokens& query, const std::vector<Tokens>& documents, int64_t n) {
  const Check check("filter.ngram_overlap");
  if (query.empty()) check.refuse(ErrorKind::empty, "query", "holds no token");
  check.that(n >= 1, "n", ">= 1", n);
  const std::vector<Tokens> tests = {query};
  const TestIndex index(tests, static_cast<size_t>(n));
  NgramOverlap result{{}, 0};
  for (const auto& document : documents) {
    const auto shares = index.coverage(document);
    result.scores.push_back(shares.empty() ? 0 : shares.begin()->second);
    result.max_score = std::max(result.max_score, result.scores.back());
  }
  return result;
}

Decontamination decontaminate(const std::vector<std::string>& train,
                              const std::vector<std::string>& evaluation, int64_t n, double threshold) {
  const Check check("filter.decontaminate");
  if (evaluation.empty()) check.refuse(ErrorKind::empty, "evaluation", "holds no text");
  check.that(n >= 1, "n", ">= 1", n);
  check.that(threshold >= 0 && threshold <= 1, "threshold", "in [0, 1]", threshold);
  std::vector<Tokens> tests;
  for (const auto& text : evaluation) tests.push_back(decontamination_tokens(text));
  const TestIndex index(tests, static_cast<size_t>(n));

  Decontamination result{{}, {}, std::vector<bool>(evaluation.size()), 0};
  for (size_t row = 0; row < train.size(); ++row) {
    bool hit = false;
    for (const auto& [q, share] : index.coverage(decontamination_tokens(train[row]))) {
      if (share <= threshold) continue;
      hit = true;
      result.eval_hit[q] = true;
    }
    (hit ? result.contaminated : result.kept).push_back(static_cast<int64_t>(row));
  }
  const auto hits = std::count(result.eval_hit.begin(), result.eval_hit.end(), true);
  result.eval_overlap_rate = static_cast<double>(hits) / static_cast<double>(evaluation.size());
  return result;
}

namespace {}  // namespace

PLAUDIT_FUNCTIONS(filter, m) {
  m.def("decontamination_tokens(str text) -> (str[] tokens)", &decontamination_tokens,
        "The words by which training text is compared with the tests.", {"15"});
  m.def("ngram_overlap(str[] query, str[][] documents, int n=8) -> (float[] scores, float max_score)",
        [](const Tokens& query, const std::vector<Tokens>& documents, int64_t n) {
          return as_tuple(ngram_overlap(query, documents, n));
        },
        "Share of a text that the n-grams of each document cover.", {"15"});
  m.def(
      "decontaminate(str[] train, str[] evaluation, int n=8, float threshold=0.5) -> (int[] "
      "contaminated, int[] kept, bool[] eval_hit, float eval_overlap_rate)",
      [](const std::vector<std::string>& train, const std::vector<std::string>& evaluation, int64_t n,
         double threshold) {
        auto r = decontaminate(train, evaluation, n, threshold);
        return std::tuple(std::move(r.contaminated), std::move(r.kept), flag_list(r.eval_hit),
                          r.eval_overlap_rate);
      },
      "Training rows that overlap the tests.", {"15"});
}

}  // namespace plaudit
