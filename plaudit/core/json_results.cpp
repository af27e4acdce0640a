#include "plaudit/core/json_results.h"

#include <algorithm>
#include <array>
#include <utility>

namespace plaudit {

bool holds_json(std::string_view function, std::string_view result) {
  using Entry = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Entry, 6> entries = {{{"advantage.per_prompt_normalize", "history"},
                                                    {"filter.newest_batch", "batch"},
                                                    {"filter.newest_batch", "remaining"},
                                                    {"reward.program_eval", "components"},
                                                    {"verify.score_request", "items"},
                                                    {"verify.score_response", "body"}}};
  return std::find(entries.begin(), entries.end(), Entry{function, result}) != entries.end();
}

}  // namespace plaudit
