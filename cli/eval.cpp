// Evaluations of models that are there already: one-stage recipes, made from the command line.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/policy_flags.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/run/engine.h"
#include "plaudit/run/policy.h"

namespace plaudit::cli {
namespace {

struct EvalFlags {
  std::string suite, policy, reference, data, prompts, judge = "lexicon", json, out;
  std::string tables, transitions, answers, truth, order = "2";
  std::vector<std::string> reward, scores, distances;
  std::optional<double> gamma;
  std::vector<int64_t> n = {1, 2, 4, 8};
  int64_t limit = 0, max_new_tokens = 64, per_prompt = 1, seed = 0;
  double temperature = 1;
  SteeringFlags steering;
};

const std::vector<SuiteFlags> kEvalSuites = {
    {"win-rate",
     {"--policy", "--reference", "--reward", "--prompts", "--judge", "--value", "--beta", "--candidates",
      "--limit", "--per-prompt", "--max-new-tokens", "--temperature"}},
    {"reward-accuracy", {"--reward", "--data"}},
    {"best-of-n",
     {"--policy", "--reward", "--prompts", "--judge", "--n", "--limit", "--max-new-tokens", "--temperature"}},
    {"reward-distance",
     {"--tables", "--transitions", "--answers", "--scores", "--reward", "--truth", "--distances", "--gamma",
      "--order"}}};

void need_one(const std::string& suite, const char* flag, const std::vector<std::string>& values) {
  if (values.size() != 1)
    fail(ErrorKind::value, flag, fmt::format("must be given once to suite {}, got {}", suite, values.size()));
}

void need(const std::string& suite, const char* flag, const std::string& value) {
  if (value.empty()) fail(ErrorKind::value, flag, "is needed by suite " + suite);
}

Json reward_distance_stage(const EvalFlags& flags) {
  Json stage = {{"order", flags.order}};
  for (const auto& [key, value] : {std::pair{"tables", flags.tables},
                                   {"transitions", flags.transitions},
                                   {"answers", flags.answers},
                                   {"truth", flags.truth}})
    if (!value.empty()) stage[key] = value;
  for (const auto& [key, list] :
       {std::pair{"scores", flags.scores}, {"reward_models", flags.reward}, {"distances", flags.distances}})
    if (!list.empty()) stage[key] = list;
  if (flags.gamma) stage["gamma"] = *flags.gamma;
  return stage;
}

// The recipe that asks for the same; YAML is a superset of JSON.
Json suite_recipe(const EvalFlags& flags) {
  Json stage = {{"suite", flags.suite}};
  Json recipe = {{"doc", "plaudit eval " + flags.suite}, {"seed", flags.seed}};
  if (flags.suite == "reward-distance") {
    recipe["stages"] = Json::array({Json{{"reward_distance", reward_distance_stage(flags)}}});
    return recipe;
  }
  if (flags.suite == "reward-accuracy") {
    need_one(flags.suite, "--reward", flags.reward);
    need(flags.suite, "--data", flags.data);
    stage["data"] = flags.data;
  } else {
    need(flags.suite, "--policy", flags.policy);
    need(flags.suite, "--prompts", flags.prompts);
    stage["prompts"] = flags.prompts;
    stage["judge"] = flags.judge;
    stage["max_new_tokens"] = flags.max_new_tokens;
    stage["temperature"] = flags.temperature;
    if (flags.limit > 0) stage["limit"] = flags.limit;
    auto reference = flags.reference.empty() ? adapter_base(flags.policy) : flags.reference;
    // A steered policy is compared with itself unsteered.
    if (reference.empty() && !flags.steering.values.empty()) reference = flags.policy;
    if (flags.suite == "win-rate") {
      if (!flags.reward.empty()) need_one(flags.suite, "--reward", flags.reward);
      if (reference.empty())
        fail(ErrorKind::value, "--reference",
             "is needed: the policy is no adapter, whose base could be taken");
      stage["per_prompt"] = flags.per_prompt;
      if (!flags.steering.values.empty()) {
        stage["value_folder"] = flags.steering.values;
        stage["steer"] = {{"beta", flags.steering.beta}, {"candidates", flags.steering.candidates}};
      }
    } else {
      need_one(flags.suite, "--reward", flags.reward);
      stage["n"] = flags.n;
      stage["model"] = "policy";
    }
    recipe["policy"] = {{"model", flags.policy}, {"reference", reference}, {"adapter", {{"kind", "lora"}}}};
  }
  if (!flags.reward.empty()) recipe["reward_model"] = {{"folder", flags.reward.front()}};
  recipe["stages"] = Json::array({Json{{"evaluate", stage}}});
  return recipe;
}

void evaluate(const EvalFlags& flags) {
  const auto recipe = load_recipe_text(suite_recipe(flags).dump(), "eval-" + flags.suite);
  const auto result = run_recipe(recipe, flags.out, Distributed::from_environment());
  fmt::print("\n{}\n{}/report.html\n", summary_text(result.summary), result.folder);
  if (!flags.json.empty()) write_json(flags.json, result.summary);
}

}  // namespace

void add_eval(CLI::App& app, int&) {
  auto* command = app.add_subcommand("eval", "measure a policy or a reward model, with intervals");
  command->footer(
      "Examples:\n  plaudit eval reward-accuracy --reward runs/reward-1/stages/01-train/reward_model --data "
      "pairs.jsonl\n  plaudit eval win-rate --policy runs/dpo-1/stages/01-train/policy --prompts "
      "recipes/data/openings-heldout.jsonl\n  plaudit eval reward-distance --tables mdp.json\n  plaudit eval "
      "reward-distance "
      "--answers rated.jsonl --reward runs/reward-1/stages/01-train/reward_model");
  auto flags = std::make_shared<EvalFlags>();
  command
      ->add_option(
          "suite", flags->suite,
          "win-rate (policy against reference), reward-accuracy, best-of-n, reward-distance (rewards "
          "against a trusted one)")
      ->required()
      ->check(CLI::IsMember(names_of(kEvalSuites)));
  command->add_option("--policy", flags->policy, "model or adapter folder, known name, .gguf file");
  command->add_option("--reference", flags->reference,
                      "what it is compared with (default: an adapter's base)");
  command->add_option("--reward", flags->reward, "folder of a reward model; reward-distance: several")
      ->delimiter(',');
  command->add_option("--data", flags->data, "preference pairs");
  command->add_option("--prompts", flags->prompts, "prompts to answer");
  command->add_option("--judge", flags->judge, "who scores the answers")->capture_default_str();
  command->add_option("--n", flags->n, "best-of-n: numbers of answers to choose from")->delimiter(',');
  command->add_option("--tables", flags->tables, "reward-distance: file of a finite MDP and rewards");
  command->add_option("--transitions", flags->transitions,
                      "reward-distance: file of transitions that rewards scored");
  command->add_option("--answers", flags->answers, "reward-distance: file of prompts with several answers");
  command->add_option("--scores", flags->scores, "reward-distance: the same answers with other scores")
      ->delimiter(',');
  command->add_option("--truth", flags->truth,
                      "reward-distance: the trusted reward (default: true, else the first)");
  command->add_option("--distances", flags->distances, "reward-distance: value, minimal, none, epic, dard")
      ->delimiter(',');
  command->add_option("--gamma", flags->gamma, "reward-distance: discount (default: the file's, else 0.99)");
  command->add_option("--order", flags->order, "reward-distance: p of the norms, 1, 2 or inf")
      ->capture_default_str();
  add_steering_flags(*command, flags->steering);
  command->add_option("--limit", flags->limit, "use only the first so many prompts")
      ->check(CLI::PositiveNumber);
  command->add_option("--per-prompt", flags->per_prompt, "win-rate: answers per prompt")
      ->capture_default_str();
  command->add_option("--max-new-tokens", flags->max_new_tokens, "longest answer")->capture_default_str();
  command->add_option("--temperature", flags->temperature, "of sampling")->capture_default_str();
  command->add_option("--seed", flags->seed, "of sampling")->capture_default_str();
  command->add_option("--out", flags->out, "the run folder (default: a new one in runs/)");
  command->add_option("--json", flags->json, "also write the numbers to this file, as summary.json");
  command->callback([flags, command] {
    refuse_unread(*command, kEvalSuites, flags->suite, {"--seed", "--out", "--json"});
    evaluate(*flags);
  });
}

}  // namespace plaudit::cli
