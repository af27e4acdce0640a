#include "plaudit/core/registry.h"

#include <algorithm>
#include <deque>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

// Function-local so that registrars in other files can run before this file's statics.
std::vector<FunctionInfo>& mutable_functions() {
  static std::vector<FunctionInfo> list;
  return list;
}

// torch::Library objects deregister their operators when destroyed: keep them until exit.
std::deque<FunctionLibrary>& libraries() {
  static std::deque<FunctionLibrary> list;
  return list;
}

}  // namespace

const std::vector<FunctionInfo>& functions() {
  auto& list = mutable_functions();
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return list;
}

const FunctionInfo& find_function(const std::string& name) {
  const auto& list = functions();
  const auto found = std::lower_bound(list.begin(), list.end(), name,
                                      [](const auto& f, const auto& n) { return f.name < n; });
  if (found != list.end() && found->name == name) return *found;
  std::vector<std::string> names;
  for (const auto& f : list) names.push_back(f.name);
  const auto near = nearest(name, names);
  fail(ErrorKind::value, "function",
       "there is no function '" + name + "'" +
           (near.empty() ? "; `plaudit functions` lists them" : ", did you mean '" + near + "'?"));
}

FunctionLibrary::FunctionLibrary(std::string area, const char* file, uint32_t line)
    : area_(std::move(area)),
      library_(std::make_unique<torch::Library>(torch::Library::FRAGMENT, "plaudit_" + area_, std::nullopt,
                                                file, line)) {}

void FunctionLibrary::record(const std::string& schema, std::string doc, std::vector<std::string> systems) {
  const auto name = schema.substr(0, schema.find('('));
  mutable_functions().push_back({area_ + "." + name, schema, std::move(doc), std::move(systems)});
}

detail::FunctionRegistrar::FunctionRegistrar(const char* area, void (*define)(FunctionLibrary&),
                                             const char* file, uint32_t line) {
  define(libraries().emplace_back(area, file, line));
}

}  // namespace plaudit
