#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/show_recipe.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/gguf.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/model/resolve.h"

namespace plaudit::cli {
namespace {

namespace fs = std::filesystem;

Json describe_tensor(const std::string& name, const std::vector<int64_t>& shape, const std::string& type,
                     int64_t bytes) {
  return {{"name", name}, {"shape", shape}, {"type", type}, {"bytes", bytes}};
}

Json describe_gguf(const std::string& path) {
  const auto file = GgufFile::open(path);
  Json tensors = Json::array();
  for (const auto& name : file->names())
    tensors.push_back(describe_tensor(name, file->sizes(name), file->type(name), file->bytes(name)));
  return {{"path", path},
          {"format", fmt::format("GGUF version {}", file->version())},
          {"metadata", file->metadata()},
          {"tensors", tensors}};
}

Json describe_tensor_file(const std::string& path, const TensorFile& file) {
  Json tensors = Json::array();
  for (const auto& [name, tensor] : file.tensors)
    tensors.push_back(describe_tensor(name, tensor.sizes().vec(), safetensors_dtype(tensor.scalar_type()),
                                      tensor.numel() * tensor.element_size()));
  return {{"path", path}, {"format", "safetensors"}, {"metadata", file.metadata}, {"tensors", tensors}};
}

// A model or an adapter: its settings and its tensors.
Json describe_folder(const std::string& folder) {
  for (const auto& [settings, weights] :
       {std::pair{"config.json", ""}, std::pair{"adapter_config.json", "adapter_model.safetensors"}}) {
    if (!fs::exists(fs::path(folder) / settings)) continue;
    auto out = describe_tensor_file(folder, *weights ? load_safetensors((fs::path(folder) / weights).string())
                                                     : load_safetensors_folder(folder));
    out["format"] = *weights ? "adapter folder" : "Hugging Face folder";
    out["metadata"] = read_json((fs::path(folder) / settings).string());
    return out;
  }
  fail(ErrorKind::io, folder, "holds neither config.json nor adapter_config.json");
}

Json describe(const std::string& path) {
  if (fs::is_directory(path)) return describe_folder(path);
  const auto extension = fs::path(path).extension();
  if (extension == ".gguf") return describe_gguf(path);
  if (extension == ".safetensors") return describe_tensor_file(path, load_safetensors(path));
  fail(ErrorKind::type, path, "is neither a folder nor a .gguf or .safetensors file");
}

// A value on one line: long texts and lists are cut, with their length in front.
std::string brief(const Json& value) {
  if (value.is_array() && value.size() > 4) {
    std::string list;
    for (size_t i = 0; i < 3; ++i) list += brief(value[i]) + ", ";
    return fmt::format("[{}] {}...", value.size(), list);
  }
  if (value.is_number_float()) return fmt::format("{:.7g}", value.get<double>());
  const auto text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() <= 72) return text;
  size_t end = 64;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // not inside a character
  return text.substr(0, end) + "...";
}

std::string size_text(double bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  for (; bytes >= 1000 && unit < 4; ++unit) bytes /= 1000;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

void add_totals(Json& description) {
  int64_t parameters = 0, bytes = 0;
  std::map<std::string, int64_t> types;
  for (const auto& tensor : description["tensors"]) {
    int64_t count = 1;
    for (const auto& size : tensor["shape"]) count *= size.get<int64_t>();
    parameters += count;
    bytes += tensor["bytes"].get<int64_t>();
    ++types[tensor["type"].get<std::string>()];
  }
  description["parameters"] = parameters;
  description["bytes"] = bytes;
  description["types"] = types;
}

void print_record(const Json& description, bool with_tensors) {
  const auto& tensors = description["tensors"];
  fmt::print("{}\n{}: {} tensors, {:.1f} M numbers, {}\n", description["path"].get<std::string>(),
             description["format"].get<std::string>(), tensors.size(),
             description["parameters"].get<double>() / 1e6, size_text(description["bytes"].get<double>()));
  for (const auto& [type, count] : description["types"].items())
    fmt::print("  {:<8} {:>4}\n", type, count.dump());
  fmt::print("\n");
  for (const auto& [key, value] : description["metadata"].items())
    fmt::print("{:<44} {}\n", key, brief(value));
  if (!with_tensors) return;
  fmt::print("\n{:<52} {:>16} {:>9} {:>9}\n", "tensor", "shape", "type", "size");
  for (const auto& tensor : tensors)
    fmt::print("{:<52} {:>16} {:>9} {:>9}\n", tensor["name"].get<std::string>(),
               fmt::format("{}", fmt::join(tensor["shape"].get<std::vector<int64_t>>(), " x ")),
               tensor["type"].get<std::string>(), size_text(tensor["bytes"].get<double>()));
}

bool is_model(const std::string& name) {
  const auto& known = known_models();
  return fs::exists(name) ||
         std::any_of(known.begin(), known.end(), [&](const KnownModel& model) { return model.name == name; });
}

}  // namespace

void add_show(CLI::App& app, int&) {
  auto* command = app.add_subcommand("show", "what a model, recipe, stage or run is");
  command->footer(
      "Examples:\n  plaudit show smollm2-135m --tensors\n  plaudit show train\n  plaudit show "
      "recipes/quickstart.yaml");
  auto name = std::make_shared<std::string>();
  auto json = std::make_shared<std::string>();
  auto tensors = std::make_shared<bool>(false);
  command
      ->add_option("what", *name,
                   "a model by name, folder or file; a recipe; a run folder; a stage, section, judge or loss")
      ->required();
  command->add_flag("-t,--tensors", *tensors, "list every tensor with shape, type and size");
  command->add_option(
      "--json", *json,
      "also write it to this file; of a model {path, format, metadata, tensors, parameters, bytes, types}");
  command->callback([name, json, tensors] {
    Json description;
    if (auto part = show_part_of_recipes(*name)) {
      if (*tensors) fail(ErrorKind::value, "--tensors", "'" + *name + "' is no model");
      description = std::move(*part);
    } else {
      if (const auto near = nearest_part_of_recipes(*name); !near.empty() && !is_model(*name))
        fail(ErrorKind::value, "show", "there is no '" + *name + "'" + near);
      description = describe(resolve_model(*name));
      add_totals(description);
      print_record(description, *tensors);
    }
    if (!json->empty()) write_json(*json, description);
  });
}

}  // namespace plaudit::cli
