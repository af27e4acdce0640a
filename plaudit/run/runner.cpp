#include "plaudit/run/runner.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "plaudit/core/files.h"
#include "plaudit/run/context.h"

namespace plaudit::run {
namespace {

namespace fs = std::filesystem;

Json read_json(const std::string& path) {
  Json value = Json::parse(read_file(path), nullptr, false);
  if (value.is_discarded()) fail(ErrorKind::type, path, "is not JSON");
  return value;
}

// The first key in which two resolved recipes differ, as "stages[1].train.beta"; "" when they are equal.
std::string first_difference(const Json& a, const Json& b, const std::string& path) {
  if (a == b) return "";
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.items()) {
      const auto below = path.empty() ? key : path + "." + key;
      if (!b.contains(key)) return below;
      if (const auto found = first_difference(value, b[key], below); !found.empty()) return found;
    }
  } else if (a.is_array() && b.is_array() && a.size() == b.size()) {
    for (size_t i = 0; i < a.size(); ++i) {
      if (const auto found = first_difference(a[i], b[i], fmt::format("{}[{}]", path, i)); !found.empty())
        return found;
    }
  }
  return path.empty() ? "recipe" : path;
}

double peak_mib() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

// Holds one run together: which stages are finished, and the files of its folder.
class Runner {
 public:
  Runner(const Recipe& recipe, std::string folder, bool quiet)
      : recipe_(recipe), context_(std::move(folder), recipe.seed, recipe.device, quiet) {
    open();
  }

  RunResult run() {
    for (const auto& planned : recipe_.stages) {
      if (finished_.contains(planned.label)) continue;
      run_stage(planned);
    }
    const Json summary = write_results();
    return {context_.folder(), summary};
  }

 private:
  std::string path(const std::string& name) const { return context_.folder() + "/" + name; }

  void open() {
    const Json resolved = recipe_.resolved();
    if (fs::exists(path("state.json"))) {
      const Json state = read_json(path("state.json"));
      const auto difference = first_difference(state["recipe"], resolved, "");
      if (!difference.empty())
        fail(ErrorKind::value, context_.folder(),
             "holds a run of another recipe (they differ at '" + difference +
                 "'); choose another folder with --out");
      context_.restore(state["context"]);
      finished_ = state["finished"];
    }
    write_file_atomic(path("recipe.json"), resolved.dump(2) + "\n");
  }

  void run_stage(const PlannedStage& planned) {
    context_.begin_stage(planned.label);
    context_.say(fmt::format("{}: {}", planned.label, planned.kind->doc));
    const auto start = std::chrono::steady_clock::now();
    planned.stage->run(context_);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    finished_[planned.label] = seconds;
    write_file_atomic(
        path("state.json"),
        Json{{"recipe", recipe_.resolved()}, {"finished", finished_}, {"context", context_.state()}}.dump(1) +
            "\n");
    context_.say(fmt::format("{} took {:.1f} s", planned.label, seconds));
    context_.stop_if_interrupted();
  }

  Json write_results() {
    double seconds = 0;
    std::vector<std::vector<std::string>> times;
    for (const auto& [label, value] : finished_.items()) {
      seconds += value.get<double>();
      times.push_back({label, fmt::format("{:.1f} s", value.get<double>())});
    }
    const Json summary = {{"recipe", recipe_.file},
                          {"metrics", context_.metrics_},
                          {"seconds", seconds},
                          {"peak_mib", peak_mib()},
                          {"rejected", context_.rejected_}};
    write_file_atomic(path("summary.json"), summary.dump(2) + "\n");
    Report page = context_.report_;
    page.heading("Time");
    page.table({"stage", "time"}, times);
    const auto title = recipe_.title.empty() ? fs::path(recipe_.file).stem().string() : recipe_.title;
    write_file_atomic(path("report.html"), page.html(title));
    return summary;
  }

  const Recipe& recipe_;
  RunContext context_;
  Json finished_ = Json::object();  // label -> seconds
};

RunResult run_recipe(const Recipe& recipe, const RunOptions& options) {
  const auto folder = options.folder.empty() ? new_run_folder(recipe.file) : options.folder;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::io, folder, "cannot be made: " + error.message());
  return Runner(recipe, folder, options.quiet).run();
}

std::string new_run_folder(const std::string& recipe_file) {
  const auto stem = "runs/" + fs::path(recipe_file).stem().string();
  for (int n = 1;; ++n) {
    const auto folder = fmt::format("{}-{}", stem, n);
    if (!fs::exists(folder)) return folder;
  }
}

void save_origin(const std::string& folder, const RunOrigin& origin) {
  fs::create_directories(folder);
  write_file_atomic(folder + "/origin.json",
                    Json{{"recipe", origin.recipe}, {"settings", origin.settings}}.dump(1) + "\n");
}

RunOrigin load_origin(const std::string& folder) {
  if (!fs::exists(folder + "/origin.json"))
    fail(ErrorKind::io, folder, "is not a run folder: it holds no origin.json");
  const Json value = read_json(folder + "/origin.json");
  return {value["recipe"], value["settings"].get<std::vector<std::string>>()};
}

}  // namespace plaudit::run
