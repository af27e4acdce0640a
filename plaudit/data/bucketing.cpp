#include "plaudit/data/bucketing.h"

#include <algorithm>

#include "plaudit/core/checks.h"

namespace plaudit {
namespace {

int64_t length_at(const Check& check, const std::vector<int64_t>& lengths, int64_t index) {
  if (index < 0 || index >= static_cast<int64_t>(lengths.size()))
    check.refuse(
        ErrorKind::value, "order",
        fmt::format("holds index {}, expected 0..{}", index, static_cast<int64_t>(lengths.size()) - 1));
  return lengths[static_cast<size_t>(index)];
}

}  // namespace

std::vector<std::vector<int64_t>> token_budget_batches(const std::vector<int64_t>& lengths,
                                                       const std::vector<int64_t>& order,
                                                       int64_t max_tokens) {
  const Check check("token_budget_batches");
  check.that(max_tokens >= 1, "max_tokens", ">= 1", max_tokens);
  std::vector<std::vector<int64_t>> batches;
  int64_t room = 0;
  for (const int64_t index : order) {
    const int64_t length = length_at(check, lengths, index);
    if (length < 1 || length > max_tokens)
      check.refuse(ErrorKind::value, fmt::format("lengths[{}]", index),
                   fmt::format("must be in 1..{} (max_tokens), got {}", max_tokens, length));
    if (batches.empty() || length > room) {
      batches.emplace_back();
      room = max_tokens;
    }
    batches.back().push_back(index);
    room -= length;
  }
  return batches;
}

std::vector<int64_t> sort_by_length_in_windows(const std::vector<int64_t>& lengths,
                                               const std::vector<int64_t>& order, int64_t window) {
  const Check check("sort_by_length_in_windows");
  check.that(window >= 1, "window", ">= 1", window);
  for (const int64_t index : order) length_at(check, lengths, index);
  auto sorted = order;
  const auto longer = [&](int64_t a, int64_t b) {
    return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)];
  };
  for (size_t begin = 0; begin < sorted.size();) {
    const size_t end = begin + std::min(static_cast<size_t>(window), sorted.size() - begin);
    std::stable_sort(sorted.begin() + static_cast<std::ptrdiff_t>(begin),
                     sorted.begin() + static_cast<std::ptrdiff_t>(end), longer);
    begin = end;
  }
  return sorted;
}

}  // namespace plaudit
