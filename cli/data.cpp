// `plaudit data`: what a data file holds, as training would read it.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/data_control.h"
#include "plaudit/core/files.h"
#include "plaudit/data/reader.h"
#include "plaudit/data/text.h"

namespace plaudit::cli {
namespace {

constexpr size_t shown_samples = 3;
constexpr size_t shown_rejections = 20;

struct Seen {
  ReadReport report;
  Json samples = Json::array();
};

template <class T>
Seen seen(Records<T> records) {
  Seen out{std::move(records.report)};
  for (size_t i = 0; i < std::min(shown_samples, records.records.size()); ++i)
    out.samples.push_back(json_of(records.records[i]));
  return out;
}

Seen read_kind(const std::string& kind, const std::string& path, const ReadOptions& options) {
  if (kind == "pairs") return seen(read_preference_pairs(path, options));
  if (kind == "unpaired") return seen(read_unpaired_feedback(path, options));
  if (kind == "ranked") return seen(read_ranked_lists(path, options));
  if (kind == "demonstrations") return seen(read_demonstrations(path, options));
  if (kind == "prompts") return seen(read_prompts(path, options));
  fail(ErrorKind::value, "--kind", "'" + kind + "' is not known" + suggestion(kind, record_kinds()));
}

// "prompt=question,chosen=a" as column names, checked like the `columns` of a recipe.
ColumnNames columns_from(const std::vector<std::string>& settings) {
  YAML::Node node(YAML::NodeType::Map);
  for (const auto& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos)
      fail(ErrorKind::value, "--columns",
           "must be OUR_NAME=COLUMN, such as prompt=question, got '" + setting + "'");
    node[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return read_options<ColumnNames>(node, {"--columns", ""});
}

void print_rejections(const ReadReport& report) {
  if (report.rejected.empty()) return;
  fmt::print("\nrejected\n");
  for (size_t i = 0; i < std::min(shown_rejections, report.rejected.size()); ++i) {
    const auto& rejection = report.rejected[i];
    fmt::print("  line {:<6} {}{}\n", rejection.line, rejection.reason,
               rejection.detail.empty() ? "" : "  (" + rejection.detail + ")");
  }
  if (report.rejected.size() > shown_rejections)
    fmt::print("  and {} more; --json lists them all\n", report.rejected.size() - shown_rejections);
  const auto share = static_cast<double>(report.rejected.size()) / static_cast<double>(report.read);
  if (share > ReadOptions{}.max_rejected)
    fmt::print("  training would stop: {:.3g} % is above max_rejected, {:.3g} %\n", 100 * share,
               100 * ReadOptions{}.max_rejected);
}

void print_report(const std::string& kind, const Seen& found) {
  fmt::print("{}\n{} from the columns {}\n", summary(found.report), kind, found.report.form);
  print_rejections(found.report);
  for (size_t i = 0; i < found.samples.size(); ++i) {
    fmt::print("\nsample {}\n", i + 1);
    for (const auto& [key, value] : found.samples[i].items())
      fmt::print("  {:<12} {}\n", key,
                 excerpt(value.dump(-1, ' ', false, Json::error_handler_t::replace), 200));
  }
}

}  // namespace

void add_data(CLI::App& app, int&) {
  struct Arguments {
    std::string file, kind, json;
    std::vector<std::string> columns;
    ReadOptions options;
    ControlReadOptions control;
  };
  auto* command = app.add_subcommand("data", "show what a data file holds and which records are rejected");
  command->footer(
      "Example:\n  plaudit data recipes/data/openings.jsonl\n"
      "  plaudit data pairs.json.gz --columns prompt=question,chosen=response_j,rejected=response_k\n"
      "  plaudit data halfcheetah_medium-v2.hdf5");
  auto a = std::make_shared<Arguments>();
  a->options.max_rejected = 1;
  command
      ->add_option("file", a->file,
                   "JSON lines, a JSON list (either may be .gz), Parquet; control data of D4RL or Minari")
      ->required();
  command->add_option("--kind", a->kind,
                      "pairs, unpaired, ranked, demonstrations, prompts or control; found if not given");
  const auto* columns =
      command->add_option("--columns", a->columns, "names of columns, as prompt=question,chosen=answer")
          ->delimiter(',');
  command->add_option("--json", a->json,
                      "also write the report, all rejections and the samples to this file");
  const auto* limit = command->add_option("--max-episode-steps", a->control.max_episode_steps,
                                          "time limit of the task, for control data without time-outs");
  command->callback([a, columns, limit] {
    const bool control = a->kind == "control" || (a->kind.empty() && is_control_file(a->file));
    if (control && columns->count() > 0)
      fail(ErrorKind::value, "--columns", "is for text records; control data has columns of its own");
    if (!control && limit->count() > 0)
      fail(ErrorKind::value, "--max-episode-steps", "is for control data, which " + a->file + " is not");
    if (control) {
      const auto found = control_summary(read_control_data(a->file, a->control));
      print_control(a->file, found);
      if (!a->json.empty()) write_json(a->json, found);
      return;
    }
    a->options.columns = columns_from(a->columns);
    const auto kind = a->kind.empty() ? guess_kind(a->file, a->options) : a->kind;
    if (kind.empty())
      fail(ErrorKind::value, a->file,
           "fits no kind of record; name its columns with --columns, or give --kind");
    const auto found = read_kind(kind, a->file, a->options);
    print_report(kind, found);
    if (a->json.empty()) return;
    Json out{{"kind", kind}};
    out.update(json_of(found.report));
    out["samples"] = found.samples;
    write_json(a->json, out);
  });
}

}  // namespace plaudit::cli
