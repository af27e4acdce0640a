// `plaudit program`: tries a reward program out on the state that a file gives and on random ones like it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <numeric>

#include "cli/commands.h"
#include "plaudit/core/files.h"
#include "plaudit/core/rng.h"
#include "plaudit/reward/program_process.h"
#include "plaudit/reward/program_states.h"

namespace plaudit::cli {
namespace {

struct ProgramFlags {
  std::string file, bindings, json;
  std::string sandbox = "interpreter", python = "python3";
  std::vector<double> action;
  int64_t states = 32;
  uint64_t seed = 0;
};

// One row of actions per state: the given one, then uniform draws from [-1, 1].
std::vector<double> actions_for(const ProgramFlags& flags) {
  auto out = flags.action;
  Rng rng(flags.seed, "program actions");
  for (size_t i = 0; i < static_cast<size_t>(flags.states) * flags.action.size(); ++i)
    out.push_back(2 * rng.uniform() - 1);
  return out;
}

struct DryRun {
  std::vector<RewardOut> outs;
  int64_t failed = -1;  // the state of the first error; 0 is the given one
  ProgramError error;
};

DryRun dry_run(const ProgramFlags& flags) {
  const Check check("program");
  check.that(flags.states >= 0, "--states", ">= 0", flags.states);
  const auto shown =
      example_bindings(check, flags.bindings.empty() ? Json::object() : read_json(flags.bindings));
  const auto states = example_states(shown, flags.states, flags.seed);
  const auto text = read_file(flags.file);
  std::vector<ProgramFrame> frames;
  for (const auto& state : states) frames.push_back({.state = &state});
  const auto actions = actions_for(flags);
  DryRun run;
  run.outs.resize(frames.size());
  if (flags.sandbox == "process") {
    ProgramProcess program(text, shown.table, {.python = flags.python});
    run.error = program.error();
    if (!run.error) run.failed = program.eval_batch(frames, actions, run.outs);
  } else {
    const auto compiled = RewardProgram::compile(text, shown.table);
    run.error = compiled.error;
    // Bounded by steps alone: the answer does not depend on how busy the machine is.
    if (compiled.program)
      run.failed = compiled.program->eval_batch(frames, actions, run.outs, {.wall_seconds = 0});
  }
  if (run.failed >= 0) run.error = run.outs[static_cast<size_t>(run.failed)].error;
  return run;
}

struct Range {
  double given = 0, low = 0, high = 0, sum = 0;
  int64_t n = 0;
  void add(double x) {
    if (n == 0) given = x;
    low = n == 0 ? x : std::min(low, x);
    high = n == 0 ? x : std::max(high, x);
    sum += x;
    ++n;
  }
  Json json() const {
    return {{"given", given}, {"low", low}, {"mean", sum / static_cast<double>(n)}, {"high", high}};
  }
};

void report(const ProgramFlags& flags, const DryRun& run, int& exit_code) {
  Json out = {{"status", run.error ? "error" : "ok"}, {"states", run.outs.size()}};
  if (run.error) {
    exit_code = 1;
    out["kind"] = std::string(to_string(run.error.kind));
    out["line"] = run.error.line;
    out["text"] = run.error.text();
    if (run.failed >= 0) out["state"] = run.failed;
    fmt::print("{}\n", run.error.text());
    if (run.failed >= 0)
      fmt::print("in the {} state\n",
                 run.failed == 0 ? "given" : fmt::format("random (number {})", run.failed));
  } else {
    std::vector<std::pair<std::string, Range>> rows = {{"reward", {}}};
    std::map<std::string, size_t> row_of;
    for (const auto& one : run.outs) {
      rows[0].second.add(one.reward);
      for (const auto& [name, value] : one.components) {
        if (row_of.emplace(name, rows.size()).second) rows.push_back({name, {}});
        rows[row_of[name]].second.add(value);
      }
    }
    fmt::print("{} states\n{:24} {:>12} {:>12} {:>12} {:>12}\n", run.outs.size(), "", "given", "lowest",
               "mean", "highest");
    for (const auto& [name, range] : rows) {
      fmt::print("{:24} {:12.6g} {:12.6g} {:12.6g} {:12.6g}\n", name, range.given, range.low,
                 range.sum / static_cast<double>(range.n), range.high);
      if (name == "reward" && !out.contains("reward")) {
        out["reward"] = range.json();
      } else {
        out["components"][name] = range.json();
      }
    }
  }
  if (!flags.json.empty()) write_json(flags.json, out);
}

}  // namespace

void add_program(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("program", "try a reward program out on random states");
  command->footer(
      "Example:\n  plaudit program reward.py --bindings bindings.json --action 0.1,0.2\n"
      "bindings.json: {\"self.goal\": [0, 1], \"self.check_grasp()\": true}. Exit code 1 when the program "
      "fails.");
  auto flags = std::make_shared<ProgramFlags>();
  command->add_option("file", flags->file, "the program, Python with NumPy names (docs/programs.md)")
      ->required();
  command->add_option("--bindings", flags->bindings, "JSON file {path: value}: what the program sees");
  command->add_option("--action", flags->action, "the action of the given state; its size is that of all")
      ->delimiter(',');
  command
      ->add_option("--sandbox", flags->sandbox,
                   "interpreter, or process: a CPython child for programs outside the language")
      ->check(CLI::IsMember({"interpreter", "process"}))
      ->capture_default_str();
  command->add_option("--states", flags->states, "random states beside the given one")->capture_default_str();
  command->add_option("--seed", flags->seed, "of the random states")->capture_default_str();
  const auto* python =
      command->add_option("--python", flags->python, "process: a Python with NumPy")->capture_default_str();
  command->add_option("--json", flags->json, "also write the result to this file");
  command->callback([flags, python, &exit_code] {
    if (python->count() > 0 && flags->sandbox != "process")
      fail(ErrorKind::value, "--python", "is for --sandbox process, got --sandbox " + flags->sandbox);
    report(*flags, dry_run(*flags), exit_code);
  });
}

}  // namespace plaudit::cli
