#include "plaudit/data/text_rules.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <span>
#include <string_view>
#include <unordered_set>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/data/text.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

// Distinct n-grams over all n-grams; 1 where there is none.
template <class Item>
double distinct_share(const std::vector<Item>& items, int64_t n) {
  const auto size = static_cast<size_t>(n);
  if (items.size() < size) return 1;
  const auto before = [](std::span<const Item> a, std::span<const Item> b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
  };
  std::set<std::span<const Item>, decltype(before)> seen(before);
  const size_t total = items.size() - size + 1;
  for (size_t i = 0; i < total; ++i) seen.insert(std::span(items).subspan(i, size));
  return static_cast<double>(seen.size()) / static_cast<double>(total);
}

template <class T>
void check_texts(const Check& check, std::string_view name, const std::vector<T>& texts) {
  if (texts.empty()) check.refuse(ErrorKind::empty, name, "is empty");
}

std::string lowered(std::string_view text) {
  const auto valid = repair_utf8(text);
  std::string out;
  for (size_t pos = 0; pos < valid.size();) append_lower(out, next_code_point(valid, pos));
  return out;
}

void check_n(const Check& check, int64_t n) {
  check.that(n >= 1, "n", ">= 1", n);
}

}  // namespace

LengthIncentive length_incentive(const std::vector<std::string>& texts, double unit) {
  const Check check("reward.length_incentive");
  check_texts(check, "text", texts);
  check.that(unit > 0, "unit", "> 0", unit);
  std::vector<int64_t> counts;
  for (const auto& text : texts) counts.push_back(static_cast<int64_t>(words(text).size()));
  const auto count = at::tensor(counts, at::kLong);
  return {count.to(at::kDouble) / unit, count};
}

Tensor repetition_penalty(const std::vector<std::string>& texts, int64_t n) {
  const Check check("reward.repetition_penalty");
  check_texts(check, "text", texts);
  check_n(check, n);
  std::vector<double> values;
  for (const auto& text : texts) values.push_back(distinct_share(words(text), n));
  return at::tensor(values, at::kDouble);
}

Tensor repetition_penalty_tokens(const Tensor& tokens, const Tensor& mask, int64_t n) {
  const Check check("reward.repetition_penalty_tokens");
  check.not_empty("tokens", tokens);
  check.not_empty("mask", mask);
  check.dim("tokens", tokens, 2);
  check.same_shape("tokens", tokens, "mask", mask);
  check.finite_where("tokens", tokens, mask);
  check_n(check, n);
  const auto ids = tokens.to(at::kCPU, at::kLong), kept = mask.ne(0).cpu();
  std::vector<double> values;
  for (int64_t b = 0; b < ids.size(0); ++b) {
    const auto row = ids[b].masked_select(kept[b]).contiguous();
    const auto* data = row.const_data_ptr<int64_t>();
    values.push_back(distinct_share(std::vector<int64_t>(data, data + row.numel()), n));
  }
  return at::tensor(values, at::kDouble);
}

double ngram_repetition(const std::vector<int64_t>& tokens, int64_t n) {
  const Check check("filter.ngram_repetition");
  check_n(check, n);
  return 1 - distinct_share(tokens, n);
}

Tensor copy_rate(const std::vector<std::string>& queries, const std::vector<std::string>& responses) {
  const Check check("eval.copy_rate");
  check_texts(check, "query", queries);
  check_texts(check, "response", responses);
  if (queries.size() != responses.size())
    check.refuse(ErrorKind::shape, "response",
                 fmt::format("has {} texts for {} queries", responses.size(), queries.size()));
  std::vector<double> rates;
  for (size_t i = 0; i < queries.size(); ++i) {
    const auto query = lowered(queries[i]), response = lowered(responses[i]);
    const auto asked = words(query), said = words(response);
    const std::unordered_set<std::string_view> known(asked.begin(), asked.end());
    const auto copied = std::count_if(said.begin(), said.end(), [&](auto w) { return known.contains(w); });
    rates.push_back(said.empty() ? 0 : static_cast<double>(copied) / static_cast<double>(said.size()));
  }
  return at::tensor(rates, at::kDouble);
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("length_incentive(str[] text, float unit=100.) -> (Tensor value, Tensor words)",
        [](const std::vector<std::string>& text, double unit) {
          return as_tuple(length_incentive(text, unit));
        },
        "Words of an answer in units of a length.", {"22"});
  m.def("repetition_penalty(str[] text, int n=3) -> (Tensor value)",
        [](const std::vector<std::string>& text, int64_t n) { return repetition_penalty(text, n); },
        "Share of distinct word n-grams.", {"22"});
  m.def("repetition_penalty_tokens(Tensor tokens, Tensor mask, int n=3) -> (Tensor value)",
        &repetition_penalty_tokens, "Share of distinct token n-grams.", {"22"});
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def("ngram_repetition(int[] tokens, int n=4) -> (float ratio)",
        [](at::IntArrayRef tokens, int64_t n) { return ngram_repetition(tokens.vec(), n); },
        "Share of n-grams that repeat an earlier one.", {"56"});
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("copy_rate(str[] query, str[] response) -> (Tensor rate)",
        [](const std::vector<std::string>& query, const std::vector<std::string>& response) {
          return copy_rate(query, response);
        },
        "Share of the words of a response that its query holds.", {"22"});
}

}  // namespace plaudit
