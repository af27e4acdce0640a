#include "plaudit/feedback/annotation_queue.h"

#include <algorithm>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"

namespace plaudit {

NewestBatch newest_batch(const Json& items, int64_t batch_size, int64_t cap) {
  const Check check("filter.newest_batch");
  if (!items.is_array()) check.refuse(ErrorKind::type, "items", "must be a list");
  check.that(batch_size >= 1, "batch_size", ">= 1", batch_size);
  check.that(cap >= 0, "cap", ">= 0", cap);
  const auto size = static_cast<int64_t>(items.size());
  const auto batch = std::max<int64_t>(0, size - batch_size), waiting = std::max<int64_t>(0, batch - cap);
  return {Json(Json::array_t(items.begin() + batch, items.end())),
          Json(Json::array_t(items.begin() + waiting, items.begin() + batch))};
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def("newest_batch(str items, int batch_size, int cap) -> (str batch, str remaining)",
        [](const std::string& items, int64_t batch_size, int64_t cap) {
          const auto split =
              newest_batch(Json::parse(items, nullptr, /*allow_exceptions=*/false), batch_size, cap);
          return std::tuple(split.batch.dump(), split.remaining.dump());
        },
        "The newest items of a queue and those that wait.", {"07"});
}

}  // namespace plaudit
