#include "cli/show_recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "cli/catalogue.h"
#include "plaudit/core/files.h"
#include "plaudit/run/engine.h"

namespace plaudit::cli {
namespace {

namespace fs = std::filesystem;

std::string joined(const Json& names) {
  return names.empty() ? "nothing"
                       : fmt::format("{}", fmt::join(names.get<std::vector<std::string>>(), ", "));
}

// "learning_rate  number > 0 = 0.0001", then the doc below.
void print_options(const Json& options, size_t indent) {
  for (const auto& option : options) {
    const bool nested = option.contains("options");
    fmt::print(
        "{:{}}{:<22} {}{}{}\n", "", indent, option["key"].get<std::string>(),
        option["type"].get<std::string>(),
        option["constraint"].get<std::string>().empty() ? "" : " " + option["constraint"].get<std::string>(),
        nested ? "" : ", default " + (option["default"].is_null() ? "none" : option["default"].dump()));
    fmt::print("{:{}}{}\n", "", indent + 4, option["doc"].get<std::string>());
    if (nested) print_options(option["options"], indent + 4);
  }
}

void print_stage(const Json& stage) {
  fmt::print("stage {}: {}\nreads {}; writes {} (with default options)\n\n", stage["name"].get<std::string>(),
             stage["doc"].get<std::string>(), joined(stage["reads"]), joined(stage["writes"]));
  print_options(stage["options"], 2);
}

void print_section(const Json& section) {
  fmt::print("section {}: {}\n\n", section["name"].get<std::string>(), section["doc"].get<std::string>());
  print_options(section["options"], 2);
}

void print_choice(const char* kind, const Json& choice) {
  fmt::print("{} {}: {}\noptions: {}\n", kind, choice["name"].get<std::string>(),
             choice["doc"].get<std::string>(), joined(choice["options"]));
}

void print_recipe(const Json& recipe) {
  fmt::print("recipe {}: {}\nstages: {}\n", recipe["name"].get<std::string>(),
             recipe["doc"].get<std::string>(), joined(recipe["stages"]));
  if (!recipe["parameters"].empty()) fmt::print("\nparameters, as name=value on the command line\n");
  for (const auto& p : recipe["parameters"])
    fmt::print("  {:<22} {}; {}\n", p["name"].get<std::string>(), p["doc"].get<std::string>(),
               p["default"].is_null() ? "must be given" : "default " + p["default"].get<std::string>());
  fmt::print("\nplaudit run {}", recipe["path"].get<std::string>());
  for (const auto& p : recipe["parameters"])
    if (p["default"].is_null()) fmt::print(" {}=...", p["name"].get<std::string>());
  fmt::print("\n");
}

// What a run found, or how to go on with it.
Json show_run(const std::string& folder) {
  const Json recipe = describe_recipe(folder + "/recipe.yaml");
  fmt::print("run of {}: {}\n", recipe["name"].get<std::string>(), recipe["doc"].get<std::string>());
  if (!fs::exists(folder + "/summary.json")) {
    fmt::print("not finished; go on with: plaudit run --resume {}\n", folder);
    return {{"recipe", recipe["name"]}, {"path", folder}, {"finished", false}};
  }
  Json summary = read_json(folder + "/summary.json");
  fmt::print("\n{}\n{}/report.html\n", summary_text(summary), folder);
  summary["path"] = folder;
  summary["finished"] = true;
  return summary;
}

std::optional<Json> find(const std::string& kind, const std::string& name) {
  const Json things = catalogue(kind);
  for (const auto& thing : things)
    if (thing["name"] == name) return thing;
  return std::nullopt;
}

}  // namespace

std::optional<Json> show_part_of_recipes(const std::string& name) {
  if (fs::is_directory(name) && fs::exists(name + "/recipe.yaml")) return show_run(name);
  if (fs::path(name).extension() == ".yaml") {
    const auto recipe = describe_recipe(name);
    print_recipe(recipe);
    return recipe;
  }
  if (const auto stage = find("stages", name)) {
    print_stage(*stage);
    return stage;
  }
  if (const auto section = find("sections", name)) {
    print_section(*section);
    return section;
  }
  for (const auto& [kind, word] : {std::pair{"judges", "judge"}, std::pair{"losses", "loss"}}) {
    const auto choice = find(kind, name);
    if (!choice) continue;
    print_choice(word, *choice);
    return choice;
  }
  return std::nullopt;
}

std::string nearest_part_of_recipes(const std::string& name) {
  std::vector<std::string> names;
  for (const char* kind : {"stages", "sections", "judges", "losses"}) {
    const Json things = catalogue(kind);
    for (const auto& thing : things) names.push_back(thing["name"].get<std::string>());
  }
  const auto near = nearest(name, names);
  return near.empty() ? "" : ", did you mean '" + near + "'?";
}

}  // namespace plaudit::cli
