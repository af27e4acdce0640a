#include "tests/run/toy_stages.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "plaudit/core/files.h"
#include "plaudit/core/interrupt.h"
#include "plaudit/run/stage.h"

namespace plaudit {

struct ToyTallyOptions {
  double spread = 1;
};
template <>
void describe(OptionTable<ToyTallyOptions>& t) {
  t.field("spread", &ToyTallyOptions::spread, "of the random number that it starts at", at_least(0));
}

struct ToyDrawOptions {
  int64_t count = 4;
  std::string law = "normal";
  int64_t sleep_ms = 0;
  int64_t interrupt_at = 0;
  std::optional<std::string> file;
};
template <>
void describe(OptionTable<ToyDrawOptions>& t) {
  t.field("count", &ToyDrawOptions::count, "how many numbers", between(1, 100000));
  t.field("law", &ToyDrawOptions::law, "of the numbers", one_of({"normal", "uniform"}));
  t.field("sleep_ms", &ToyDrawOptions::sleep_ms, "time that each number takes", at_least(0));
  t.field("interrupt_at", &ToyDrawOptions::interrupt_at, "press Ctrl-C at this number; 0: never",
          at_least(0));
  t.field("file", &ToyDrawOptions::file, "a file that must be there");
}

struct ToyAddOptions {
  std::vector<double> weights = {1};
};
template <>
void describe(OptionTable<ToyAddOptions>& t) {
  t.field("weights", &ToyAddOptions::weights, "of the numbers, in turn", between(-1, 1));
}

struct ToyTellOptions {
  bool plot = true;
  int64_t fail_times = 0;
};
template <>
void describe(OptionTable<ToyTellOptions>& t) {
  t.field("plot", &ToyTellOptions::plot, "draw the tally");
  t.field("fail_times", &ToyTellOptions::fail_times, "refuse to run this often", at_least(0));
}

namespace {

std::atomic<int64_t> finished{0};

Tally make_tally(const ToyTallyOptions& options, RunContext& context) {
  Tally tally;
  tally.start = tally.total = options.spread * context.rng().normal();
  return tally;
}

// One number a step, each kept at once: what a training loop does with its checkpoints.
void run_draw(const ToyDrawOptions& options, RunContext& context) {
  const auto checkpoint = context.folder() + "/state.json";
  Json state = {{"values", Json::array()}, {"rng", context.rng().save()}};
  if (std::filesystem::exists(checkpoint)) state = read_json(checkpoint);
  Rng rng = context.rng();
  rng.restore(state["rng"].get<std::string>());
  auto values = state["values"].get<std::vector<double>>();
  while (static_cast<int64_t>(values.size()) < options.count) {
    values.push_back(options.law == "normal" ? rng.normal() : rng.uniform());
    const auto step = static_cast<int64_t>(values.size());
    if (step == options.interrupt_at) request_interrupt();
    context.log(step, {{"value", values.back()}});
    context.progress(step, options.count, "draw");
    if (context.ranks().rank() == 0) write_json(checkpoint, {{"values", values}, {"rng", rng.save()}});
    std::this_thread::sleep_for(std::chrono::milliseconds(options.sleep_ms));
    context.throw_if_interrupted();
  }
  context.put("draws", Draws{values});
  context.summary().rejected("negative",
                             std::count_if(values.begin(), values.end(), [](double v) { return v < 0; }));
  ++finished;
}

void run_add(const ToyAddOptions& options, RunContext& context) {
  const auto& draws = context.get<Draws>("draws").values;
  auto& tally = context.edit<Tally>("toy_tally");
  for (size_t i = 0; i < draws.size(); ++i)
    tally.total += options.weights[i % options.weights.size()] * draws[i];
  ++tally.additions;
  context.summary().metric("total", tally.total);
  ++finished;
}

void run_tell(const ToyTellOptions& options, RunContext& context) {
  const auto marker = context.folder() + "/tries.json";
  const int64_t tries = std::filesystem::exists(marker) ? read_json(marker).get<int64_t>() : 0;
  write_json(marker, tries + 1);
  if (tries < options.fail_times) fail(ErrorKind::io, "toy_tell", "cannot tell yet");
  const auto& tally = context.get<Tally>("toy_tally");
  context.summary().metric("total", tally.total, tally.total - 1, tally.total + 1, tally.additions);
  context.summary().metric("start", tally.start);
  context.report().heading("What came out");
  context.report().samples({{"<b>2 & 2</b>", "4", "judge 0.1", "four", "judge 0.9"}});
  if (options.plot)
    context.report().line_plot({.title = "Tally", .x = "stage", .y = "total"},
                               {{"tally", {0, 1}, {tally.start, tally.total}}});
  ++finished;
}

void save_draws(const Draws& value, const std::string& folder) {
  write_json(folder + "/draws.json", value.values);
}

Draws load_draws(const std::string& folder) {
  return {read_json(folder + "/draws.json").get<std::vector<double>>()};
}

void save_tally(const Tally& t, const std::string& folder) {
  write_json(folder + "/tally.json", {t.total, t.start, t.additions});
}

Tally load_tally(const std::string& folder, RunContext&) {
  const auto json = read_json(folder + "/tally.json");
  return {json[0].get<double>(), json[1].get<double>(), json[2].get<int64_t>()};
}

}  // namespace

int64_t toy_stages_run() {
  return finished;
}

PLAUDIT_ARTEFACT(Draws, "toy draws", &save_draws, &load_draws);
PLAUDIT_ARTEFACT(Tally, "toy tally", &save_tally, &load_tally);
PLAUDIT_SECTION(toy_tally, ToyTallyOptions, Tally, "A sum, which starts at a random number.", make_tally);

PLAUDIT_STAGE(toy_draw, ToyDrawOptions,
              {
                  .doc = "Draws numbers.",
                  .writes = {"draws"},
                  .check =
                      [](const ToyDrawOptions& o) {
                        if (o.file && !std::filesystem::exists(*o.file))
                          fail(ErrorKind::io, "file", "there is no file '" + *o.file + "'");
                      },
                  .run = run_draw,
              });
PLAUDIT_STAGE(toy_add, ToyAddOptions,
              {
                  .doc = "Adds numbers to the tally.",
                  .reads = {"draws", "toy_tally"},
                  .writes = {"toy_tally"},
                  .run = run_add,
              });
PLAUDIT_STAGE(toy_tell, ToyTellOptions,
              {
                  .doc = "Tells the tally.",
                  .reads = {"toy_tally", "draws?"},
                  .run = run_tell,
              });

}  // namespace plaudit
