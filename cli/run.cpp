#include "plaudit/run/runner.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "cli/commands.h"
#include "plaudit/core/interrupt.h"

namespace plaudit::cli {
namespace {

std::string figure(const Json& value) {
  return value.is_null() ? "" : fmt::format("{:.4g}", value.get<double>());
}

void print(const run::RunResult& result) {
  fmt::print("\n{:<36} {:>10} {:>10} {:>10} {:>7}\n", "metric", "value", "low", "high", "n");
  for (const auto& [name, m] : result.summary["metrics"].items())
    fmt::print("{:<36} {:>10} {:>10} {:>10} {:>7}\n", name, figure(m["value"]), figure(m["low"]),
               figure(m["high"]), m["n"].get<int64_t>());
  for (const auto& [reason, count] : result.summary["rejected"].items())
    fmt::print("left out: {} ({})\n", count.get<int64_t>(), reason);
  fmt::print("\n{:.0f} s, peak {:.0f} MiB; report: {}/report.html\n", result.summary["seconds"].get<double>(),
             result.summary["peak_mib"].get<double>(), result.folder);
}

}  // namespace

void add_run(CLI::App& app, int&) {
  auto* command = app.add_subcommand("run", "run a recipe: train, evaluate, label");
  command->footer("Example:\n  plaudit run recipes/quickstart.yaml seed=1 --out runs/first");
  auto recipe = std::make_shared<std::string>();
  auto settings = std::make_shared<std::vector<std::string>>();
  auto out = std::make_shared<std::string>();
  auto resume = std::make_shared<std::string>();
  auto json = std::make_shared<std::string>();
  auto quiet = std::make_shared<bool>(false);
  command->add_option("recipe", *recipe, "a recipe file");
  command->add_option("settings", *settings,
                      "key=value: a parameter of the recipe, or a path such as seed=1");
  command->add_option("--out", *out,
                      "the run folder (default: runs/NAME-N); an unfinished run there continues");
  command->add_option("--resume", *resume, "continue the run in this folder");
  command->add_option("--json", *json, "also write summary.json to this file");
  command->add_flag("-q,--quiet", *quiet, "no progress");
  command->callback([=] {
    run::RunOrigin origin{*recipe, *settings};
    auto folder = *out;
    if (!resume->empty()) {
      if (!recipe->empty())
        fail(ErrorKind::value, "--resume",
             "takes the recipe from the run folder; leave '" + *recipe + "' out");
      origin = run::load_origin(*resume);
      folder = *resume;
    } else if (recipe->empty()) {
      fail(ErrorKind::value, "run", "needs a recipe file, e.g. recipes/quickstart.yaml");
    }
    const auto plan = run::load_recipe(origin.recipe, origin.settings);
    if (folder.empty()) folder = run::new_run_folder(origin.recipe);
    run::save_origin(folder, origin);
    watch_interrupts();
    const auto result = run::run_recipe(plan, {folder, *quiet});
    print(result);
    if (json->empty()) return;
    std::ofstream file(*json);
    file << result.summary.dump(2) << "\n";
    if (!file.flush()) fail(ErrorKind::io, *json, "cannot be written");
  });
}

}  // namespace plaudit::cli
