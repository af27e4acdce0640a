// Batches by token count: every batch holds about the same work, whatever the lengths.
#pragma once

#include <cstdint>
#include <vector>

namespace plaudit {

// Cuts `order` (indices into `lengths`) into consecutive batches of at most `max_tokens` tokens each; the
// order is kept, so a shuffled order gives shuffled batches. A length below 1 or above `max_tokens`, or an
// index out of range, is a UserError of kind value. An empty order gives no batch.
std::vector<std::vector<int64_t>> token_budget_batches(const std::vector<int64_t>& lengths,
                                                       const std::vector<int64_t>& order, int64_t max_tokens);

// `order` with each run of `window` >= 1 consecutive indices sorted by length, longest first (ties keep their
// order), so that neighbours are alike in length while the whole stays shuffled. For code that works on rows
// of one length, such as sampling.
std::vector<int64_t> sort_by_length_in_windows(const std::vector<int64_t>& lengths,
                                               const std::vector<int64_t>& order, int64_t window);

}  // namespace plaudit
