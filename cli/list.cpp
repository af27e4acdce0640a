#include <fmt/format.h>

#include <memory>

#include "cli/catalogue.h"
#include "cli/commands.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"

namespace plaudit::cli {
namespace {

// What a person wants to know of a thing beside its name and doc.
std::string note_on(const std::string& kind, const Json& thing) {
  if (kind == "models" && !thing["installed"].get<bool>())
    return "; not installed: " + thing["install"].get<std::string>();
  if (kind == "runs")
    return thing["finished"].get<bool>()
               ? fmt::format(" ({:.0f} s)", thing["seconds"].get<double>())
               : " (not finished: plaudit run --resume " + thing["path"].get<std::string>() + ")";
  return "";
}

void print_kinds(const std::string& kind, const Json& things) {
  fmt::print("{}{}\n", kind, things.empty() ? ": none here" : "");
  for (const auto& thing : things) {
    const bool has_path = thing.contains("path");
    fmt::print("  {:<26} {}{}\n", thing[has_path ? "path" : "name"].get<std::string>(),
               thing["doc"].get<std::string>(), note_on(kind, thing));
  }
}

}  // namespace

void add_list(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("list", "what there is: models, recipes, claims, runs, stages, judges, losses");
  command->footer("Examples:\n  plaudit list\n  plaudit list stages --json stages.json");
  auto kind = std::make_shared<std::string>();
  auto json = std::make_shared<std::string>();
  command->add_option("kind", *kind,
                      "models, recipes, claims, runs, stages, sections, judges or losses; default: all");
  command->add_option("--json", *json, "also write {kind: [{name, doc, ...}]} to this file");
  command->callback([kind, json] {
    Json all = Json::object();
    for (const auto& name : kind->empty() ? catalogue_kinds() : std::vector<std::string>{*kind}) {
      all[name] = catalogue(name);
      print_kinds(name, all[name]);
    }
    if (!json->empty()) write_json(*json, all);
  });
}

}  // namespace plaudit::cli
