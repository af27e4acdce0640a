#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/run/engine.h"
#include "plaudit/run/run_folder.h"

namespace plaudit::cli {
namespace {

struct RunFlags {
  std::string recipe, out, resume, json;
  std::vector<std::string> changes;
  bool check = false;
};

Recipe recipe_from(const RunFlags& flags) {
  if (flags.resume.empty()) {
    if (flags.recipe.empty())
      fail(ErrorKind::value, "run", "needs a recipe, e.g. recipes/quickstart.yaml, or --resume FOLDER");
    return load_recipe(flags.recipe, flags.changes);
  }
  if (!flags.recipe.empty())
    fail(ErrorKind::value, "--resume",
         "takes the recipe from the run folder: leave '" + flags.recipe + "' out");
  if (!flags.out.empty()) fail(ErrorKind::value, "--resume", "names the run folder: leave --out away");
  return load_run_recipe(flags.resume);
}

void run_stages(const RunFlags& flags) {
  const auto recipe = recipe_from(flags);
  if (flags.check) {
    fmt::print("{}: {} stages, nothing wrong\n", recipe.name, recipe.stages.size());
    return;
  }
  const auto ranks = Distributed::from_environment();
  const auto result = run_recipe(recipe, flags.resume.empty() ? flags.out : flags.resume, ranks);
  if (ranks->rank() != 0) return;
  fmt::print("\n{}\n{}/report.html\n", summary_text(result.summary), result.folder);
  if (!flags.json.empty()) write_json(flags.json, result.summary);
}

}  // namespace

void add_run(CLI::App& app, int&) {
  auto* command = app.add_subcommand("run", "run a recipe: sample, label, train, evaluate");
  command->footer(
      "Examples:\n  plaudit run recipes/quickstart.yaml seed=1\n"
      "  plaudit run recipes/dpo.yaml data=pairs.jsonl model=smollm2-135m\n"
      "  plaudit run --resume runs/quickstart-1");
  auto flags = std::make_shared<RunFlags>();
  command->add_option("recipe", flags->recipe, "a recipe file");
  command->add_option("changes", flags->changes,
                      "key=value: a parameter of the recipe, or a path such as stages.train.beta=0.2");
  auto* out = command->add_option("--out", flags->out, "the run folder (default: a new one in runs/)");
  command->add_option("--resume", flags->resume, "go on with the run in this folder");
  auto* json = command->add_option("--json", flags->json, "also write summary.json to this file");
  command->add_flag("--check", flags->check, "only check the recipe, which writes nothing")
      ->excludes(out)
      ->excludes(json);
  command->callback([flags] { run_stages(*flags); });
}

}  // namespace plaudit::cli
