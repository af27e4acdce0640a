#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "cli/commands.h"
#include "plaudit/core/call.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/registry.h"

namespace plaudit::cli {

void add_functions(CLI::App& app, int&) {
  auto* command = app.add_subcommand("functions", "list the public functions");
  command->footer("Example:\n  plaudit functions preference");
  auto area = std::make_shared<std::string>();
  auto json = std::make_shared<std::string>();
  command->add_option("area", *area, "only this area or this function");
  command->add_option("--json", *json, "also write [{name, schema, doc, systems}] to this file");
  command->callback([area, json] {
    Json list = Json::array();
    for (const auto& f : functions()) {
      if (!area->empty() && f.name != *area && f.name.rfind(*area + ".", 0) != 0) continue;
      fmt::print("{:<44} {}\n", f.name, f.doc);
      list.push_back({{"name", f.name}, {"schema", f.schema}, {"doc", f.doc}, {"systems", f.systems}});
    }
    if (list.empty()) {
      std::set<std::string> names;
      for (const auto& f : functions()) names.insert({f.name, f.name.substr(0, f.name.find('.'))});
      fail(ErrorKind::value, "functions",
           "there is no area or function '" + *area + "'" + suggestion(*area, {names.begin(), names.end()}));
    }
    if (json->empty()) return;
    std::ofstream file(*json);
    file << list.dump(1) << "\n";
    if (!file.flush()) fail(ErrorKind::io, *json, "cannot be written");
  });
}

}  // namespace plaudit::cli
