#include "bench/bench.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "bench/control.h"
#include "bench/functions.h"
#include "bench/lm.h"
#include "bench/lm_worker.h"
#include "cli/commands.h"
#include "cli/policy_flags.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"

namespace plaudit::cli {
namespace {

const std::vector<SuiteFlags> kBenchSuites = {
    {"limits", {}},
    {"lm",
     {"--model", "--jobs", "--losses", "--precisions", "--batches", "--prompt-tokens", "--new-tokens",
      "--batch", "--steps", "--repeats", "--no-peers", "--peers"}},
    {"functions", {}},
    {"control",
     {"--tasks", "--learners", "--environments", "--seconds", "--repeats", "--no-peers", "--peers"}}};

struct BenchFlags {
  std::string suite, json, worker_job;
  bool no_peers = false;
  bench::LmOptions lm;
  bench::ControlOptions control;
};

void run_bench(const CLI::App& command, BenchFlags& flags) {
  // A job of a suite, in a process of its own; started by the suite itself.
  if (flags.suite == "worker" && !flags.worker_job.empty()) return bench::run_lm_worker(flags.worker_job);
  const auto suites = names_of(kBenchSuites);
  if (std::find(suites.begin(), suites.end(), flags.suite) == suites.end())
    fail(ErrorKind::value, "bench", "'" + flags.suite + "' is not known" + suggestion(flags.suite, suites));
  refuse_unread(command, kBenchSuites, flags.suite, {"--json"});
  flags.lm.peers = flags.control.peers = !flags.no_peers;
  for (auto* list : {&flags.lm.jobs, &flags.control.tasks, &flags.control.learners})
    if (*list == std::vector<std::string>{"none"}) list->clear();
  flags.control.repeats = flags.lm.repeats;
  flags.control.peer_scripts = flags.lm.peer_scripts;
  const auto report = flags.suite == "lm"          ? bench::run_lm(flags.lm)
                      : flags.suite == "functions" ? bench::run_functions()
                      : flags.suite == "control"   ? bench::run_control(flags.control)
                                                   : bench::begin_report();
  bench::print(report);
  if (!flags.json.empty()) write_json(flags.json, bench::to_json(report));
}

}  // namespace

void add_bench(CLI::App& app, int&) {
  auto* command = app.add_subcommand("bench", "measure speed beside the machine's limits");
  command->footer("Example:\n  plaudit bench lm --jobs sampling --no-peers --repeats 1 --json bench.json");
  auto flags = std::make_shared<BenchFlags>();
  auto& lm = flags->lm;
  command
      ->add_option("suite", flags->suite,
                   fmt::format("what to measure: {}", fmt::join(names_of(kBenchSuites), ", ")))
      ->required();
  command->add_option("--json", flags->json, "also write {machine, limits, jobs} to this file");
  command->add_option("--model", lm.model, "lm: the model")->capture_default_str();
  command
      ->add_option("--jobs", lm.jobs,
                   "lm: some of sft, reward, dpo, kto, sampling, steering (sampling steered by values beside "
                   "the same without); none: only --losses")
      ->delimiter(',');
  command
      ->add_option(
          "--losses", lm.losses,
          "lm: preference losses beside dpo on its batches, kto and plackett-luce among them, or all")
      ->delimiter(',');
  command
      ->add_option("--precisions", lm.precisions,
                   "lm: some of f32, bf16; default: both where the processor multiplies bf16, else f32")
      ->delimiter(',');
  command->add_option("--batches", lm.batches, "lm: answers sampled side by side, steered or not; 1,8,32")
      ->delimiter(',');
  command->add_option("--prompt-tokens", lm.prompt_tokens, "lm: length of the prompts of sampling")
      ->capture_default_str();
  command->add_option("--new-tokens", lm.new_tokens, "lm: tokens sampled per answer")->capture_default_str();
  command->add_option("--batch", lm.batch, "lm: examples of a training step")->capture_default_str();
  command->add_option("--steps", lm.steps, "lm: training steps, the first is not timed")
      ->capture_default_str();
  command->add_option("--repeats", lm.repeats, "lm, control: rounds of plaudit and the peer in turns")
      ->capture_default_str();
  auto* alone = command->add_flag("--no-peers", flags->no_peers, "lm, control: measure plaudit alone");
  command
      ->add_option("--peers", lm.peer_scripts,
                   "lm, control: folder of the peers' scripts; default: bench/peers")
      ->excludes(alone);
  command->add_option("--environments", flags->control.environments, "control: environments of the vector")
      ->capture_default_str();
  command
      ->add_option("--tasks", flags->control.tasks,
                   "control: the tasks, HalfCheetah-v5,Hopper-v5; none: none")
      ->delimiter(',');
  command->add_option("--learners", flags->control.learners, "control: some of iql, sac; none: none")
      ->delimiter(',');
  command->add_option("--seconds", flags->control.seconds, "control: of each measurement")
      ->capture_default_str();
  command->add_option("--job", flags->worker_job)->group("");
  command->callback([flags, command] { run_bench(*command, *flags); });
}

}  // namespace plaudit::cli
