// collect: generates data sets of a control task, in the manner of D4RL; control_data: reads one.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/core/log.h"
#include "plaudit/data/control_files.h"
#include "plaudit/data/hdf5.h"
#include "plaudit/run/behaviours.h"
#include "plaudit/run/control_data_artefact.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

struct CollectStage {
  std::vector<std::string> kinds = {"medium"};
  int64_t steps = 200'000;
  std::string format = "d4rl";
  std::string into = "transitions";
  BehaviourOptions behaviour = {};
};

template <>
void describe(OptionTable<CollectStage>& t) {
  using O = CollectStage;
  t.field("kinds", &O::kinds, "the data sets, one file each",
          one_of({"random", "medium", "medium-replay", "medium-expert", "expert"}));
  t.field("steps", &O::steps, "of each, at least; the replay of a learner has as many as it took",
          at_least(1));
  t.field("format", &O::format,
          "of the files in the run folder: d4rl (HDF5), Minari with HDF5, Arrow or Parquet",
          one_of({"d4rl", "minari", "minari-arrow", "minari-parquet", "none"}));
  t.field("into", &O::into, "name of the last set for the stages that follow");
  t.include(&O::behaviour);
}

struct ControlDataStage {
  std::string data;
  std::string environment;
  std::optional<int64_t> max_episode_steps = {};
  bool next_observations = false;
  std::string into = "transitions";
};

template <>
void describe(OptionTable<ControlDataStage>& t) {
  using O = ControlDataStage;
  t.field("data", &O::data, "an HDF5 file of D4RL, or the folder of a Minari data set");
  t.field("environment", &O::environment,
          "the task, whose widths the data must have; empty: as the data say");
  t.field("max_episode_steps", &O::max_episode_steps, "time limit of the task, for files without time-outs",
          at_least(1));
  t.field("next_observations", &O::next_observations,
          "take the next observations that a D4RL file stores instead of the rows that follow");
  t.field("into", &O::into, "name of the data");
}

namespace {

// "halfcheetah" of "HalfCheetah-v5".
std::string short_name(const std::string& environment) {
  std::string out;
  for (const char c : environment.substr(0, environment.find("-v")))
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

class DataSets {
 public:
  DataSets(const CollectStage& o, RunContext& context) : o_(o), context_(context) {}

  void run() {
    const bool medium = std::any_of(o_.kinds.begin(), o_.kinds.end(),
                                    [](const std::string& kind) { return kind.starts_with("medium"); });
    behaviours_ = make_behaviours(o_.behaviour, medium, context_);
    context_.report().heading(o_.behaviour.environment + ": generated data");
    context_.report().paragraph(behaviours_.how);
    ControlData last;
    for (const auto& kind : o_.kinds) last = make(kind);
    context_.report().table({"set", "steps", "episodes", "mean return", "score", "steps a second"}, table_);
    context_.put(o_.into, std::move(last));
  }

 private:
  ControlData log_of(const std::string& kind, const std::string& part, const Behaviour& behaviour,
                     int64_t steps) {
    CollectOptions options{.steps = steps, .keep_states = true};
    options.progress = [&](int64_t done, int64_t total) {
      context_.progress(done, total, kind + " steps");
      context_.throw_if_interrupted();
    };
    auto log = collect(o_.behaviour.environment, behaviour, options, episode_seed(context_, kind + part));
    report_divergences(kind, log.divergences);
    return std::move(log.data);
  }

  void report_divergences(const std::string& kind, const std::vector<Divergence>& divergences) {
    if (divergences.empty()) return;
    context_.summary().rejected("episodes whose simulation diverged",
                                static_cast<int64_t>(divergences.size()));
    std::vector<std::vector<std::string>> rows;
    for (const auto& d : divergences) {
      warn(fmt::format("{}: the simulation of seed {} diverged at step {}, its episode is left out: {}", kind,
                       d.seed, d.step, d.what));
      rows.push_back({std::to_string(d.seed), std::to_string(d.step), d.what});
    }
    context_.report().heading(kind + ": episodes that diverged");
    context_.report().table({"seed", "step", "what"}, rows);
  }

  ControlData rows_for(const std::string& kind) {
    const auto& b = behaviours_;
    if (kind == "random") return log_of(kind, "", {}, o_.steps);
    if (kind == "medium") return log_of(kind, "", b.medium, o_.steps);
    if (kind == "expert") return log_of(kind, "", b.expert, o_.steps);
    if (kind == "medium-replay")
      return b.replay_log.size() > 0 ? b.replay_log : log_of(kind, "", b.replay, o_.steps);
    return joined(log_of(kind, "/medium", b.medium, (o_.steps + 1) / 2),
                  log_of(kind, "/expert", b.expert, (o_.steps + 1) / 2));
  }

  ControlData make(const std::string& kind) {
    const auto start = std::chrono::steady_clock::now();
    auto data = rows_for(kind);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    auto metadata = Json::parse(data.metadata);
    metadata["kind"] = kind;
    metadata["random_return"] = behaviours_.random_return;
    metadata["expert_return"] = behaviours_.expert_return;
    metadata["behaviour"] = behaviours_.how;
    metadata["seed"] = context_.recipe().value("seed", int64_t{0});
    data.metadata = metadata.dump();
    report_control_data(kind + "/", data, context_);
    const bool made = kind != "medium-replay" || behaviours_.replay_log.size() == 0;
    const double rate = static_cast<double>(data.size()) / took.count();
    if (made) context_.summary().metric(kind + "/steps_per_second", rate);
    const auto returns = episode_returns(data).mean().item<double>();
    const double span = behaviours_.expert_return - behaviours_.random_return;
    table_.push_back({kind, std::to_string(data.size()), std::to_string(data.episode_starts.numel()),
                      fmt::format("{:.1f}", returns),
                      fmt::format("{:.1f}", 100 * (returns - behaviours_.random_return) / span),
                      made ? fmt::format("{:.0f}", rate) : ""});
    write(kind, data);
    return data;
  }

  void write(const std::string& kind, const ControlData& data) {
    if (o_.format == "none" || context_.run_folder().empty()) return;
    const auto name = short_name(o_.behaviour.environment);
    std::string path;
    if (o_.format == "d4rl") {
      path = fmt::format("{}/{}-{}-engine-v1.hdf5", context_.run_folder(), name, kind);
      write_d4rl(path, data);
    } else {
      const auto id = fmt::format("plaudit/{}/{}-v1", name, kind);
      path = fmt::format("{}/minari/{}", context_.run_folder(), id);
      std::filesystem::remove_all(path);  // of a process that was stopped before this stage ended
      const auto environment = make_environment(o_.behaviour.environment);
      const auto& spec = environment->spec();
      write_minari(path, data,
                   {.dataset_id = id,
                    .format = o_.format == "minari" ? "hdf5" : o_.format.substr(7),
                    .environment = spec.id,
                    .max_steps = spec.max_steps,
                    .action_low = spec.action.low,
                    .action_high = spec.action.high,
                    .f32_observations = spec.f32_observations});
    }
    say("wrote " + path);
  }

  const CollectStage& o_;
  RunContext& context_;
  Behaviours behaviours_;
  std::vector<std::vector<std::string>> table_;
};

void run_control_data(const ControlDataStage& o, RunContext& context) {
  auto data = read_control_data(
      o.data, {.max_episode_steps = o.max_episode_steps, .next_observations = o.next_observations});
  const auto named = o.environment.empty() ? environment_of(data) : o.environment;
  const auto known = environment_ids();
  if (std::find(known.begin(), known.end(), named) != known.end()) {
    const auto environment = make_environment(named);
    const auto& spec = environment->spec();
    check_widths(data, o.data, named, spec.observation.size(), spec.action.size());
    auto metadata = Json::parse(data.metadata);
    metadata["environment"] = named;
    data.metadata = metadata.dump();
  } else if (!o.environment.empty()) {
    fail(ErrorKind::value, "environment", "'" + named + "' is not known" + suggestion(named, known));
  }
  report_control_data("", data, context);
  context.put(o.into, std::move(data));
}

PLAUDIT_STAGE(
    collect, CollectStage,
    {
        .doc = "Generates data sets of a control task: random, medium, medium-replay, medium-expert, "
               "expert.",
        .writes = [](const CollectStage& o) { return Names{o.into}; },
        .check =
            [](const CollectStage& o) {
              if (o.kinds.empty()) fail(ErrorKind::empty, "kinds", "must name a data set");
              const auto& actor = o.behaviour.actor;
              if (!actor.empty() && !std::filesystem::is_directory(actor)) check_file("actor", actor);
              if (!has_hdf5() && (o.format == "d4rl" || o.format == "minari"))
                fail(ErrorKind::value, "format",
                     o.format + " needs HDF5, which this program was built without");
              if (o.behaviour.training.run.random_steps >= o.behaviour.training.run.steps)
                fail(ErrorKind::value, "training.random_steps", "must be below training.steps");
            },
        .run = [](const CollectStage& o, RunContext& context) { DataSets(o, context).run(); },
    });

PLAUDIT_STAGE(control_data, ControlDataStage,
              {
                  .doc = "Reads logged control data: D4RL's HDF5, Minari's HDF5, Arrow or Parquet.",
                  .writes = [](const ControlDataStage& o) { return Names{o.into}; },
                  .check = [](const ControlDataStage& o) { control_format(o.data); },
                  .run = run_control_data,
              });

}  // namespace
}  // namespace plaudit
