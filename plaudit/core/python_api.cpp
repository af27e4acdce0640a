// What the Python package asks the library beside the functions themselves:
// `torch.ops.plaudit.functions_json()` and `torch.ops.plaudit.holds_json(function, result)`.
#include <torch/library.h>

#include <nlohmann/json.hpp>

#include "plaudit/core/json_results.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

// [{"name", "doc", "systems"}]; the schema is in the dispatcher.
std::string functions_json() {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& f : functions())
    list.push_back({{"name", f.name}, {"doc", f.doc}, {"systems", f.systems}});
  return list.dump();
}

TORCH_LIBRARY_FRAGMENT(plaudit, m) {
  m.def("functions_json() -> str", &functions_json);
  m.def("holds_json(str function, str result) -> bool",
        [](const std::string& function, const std::string& result) { return holds_json(function, result); });
}

}  // namespace
}  // namespace plaudit
