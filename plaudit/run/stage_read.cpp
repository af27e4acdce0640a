// read: feedback from a file of the user's own.
#include "plaudit/core/log.h"
#include "plaudit/run/records_artefact.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

struct ReadStage {
  std::string data;
  std::string kind = "pairs";
  double holdout = 0;
  std::string decontaminate;
  ReadOptions read = {};
};

template <>
void describe(OptionTable<ReadStage>& t) {
  t.field("data", &ReadStage::data, "JSON lines (plain or gzip), a JSON array, or Parquet");
  t.field("kind", &ReadStage::kind, "what the file holds: pairs, ranked, unpaired, demonstrations",
          one_of({"pairs", "ranked", "unpaired", "demonstrations"}));
  t.field("holdout", &ReadStage::holdout,
          "share of the records that is kept for evaluation, as heldout_<kind>", from_to_below(0, 1));
  t.field("decontaminate", &ReadStage::decontaminate,
          "file of test prompts: leave out what covers more than half of one of them by runs of 8 words");
  t.include(&ReadStage::read);
}

namespace {

template <class Record>
void read_as(const ReadStage& options, RunContext& context,
             Records<Record> (*read)(const std::string&, const ReadOptions&)) {
  auto [records, report] = read(options.data, options.read);
  say(summary(report));
  context.summary().metric("read/records", static_cast<double>(report.kept));
  for (const auto& [reason, count] : report.counts) context.summary().rejected(reason, count);
  std::vector<std::vector<std::string>> rows;
  for (const auto& rejection : report.rejected)
    rows.push_back({std::to_string(rejection.line), rejection.reason, rejection.detail.substr(0, 200)});
  if (!rows.empty()) {
    context.report().heading("Records that were left out of " + options.data);
    context.report().table({"line", "reason", "what was there"}, rows);
  }
  records = without_overlap(std::move(records), {options.decontaminate, options.data, "records"}, context);
  auto [kept, held] = hold_out(std::move(records), options.holdout, context.rng());
  if (kept.empty())
    fail(ErrorKind::empty, "holdout", "leaves no record to learn from, of " + std::to_string(held.size()));
  context.put(options.kind, std::move(kept));
  if (options.holdout > 0) context.put("heldout_" + options.kind, std::move(held));
}

void run_read(const ReadStage& options, RunContext& context) {
  if (options.kind == "pairs") read_as<PreferencePair>(options, context, &read_preference_pairs);
  if (options.kind == "ranked") read_as<RankedList>(options, context, &read_ranked_lists);
  if (options.kind == "unpaired") read_as<UnpairedFeedback>(options, context, &read_unpaired_feedback);
  if (options.kind == "demonstrations") read_as<Demonstration>(options, context, &read_demonstrations);
}

PLAUDIT_STAGE(read, ReadStage,
              {
                  .doc = "Reads pairs, ranked lists, unpaired feedback or demonstrations from a file.",
                  .writes =
                      [](const ReadStage& options) {
                        return options.holdout > 0 ? Names{options.kind, "heldout_" + options.kind}
                                                   : Names{options.kind};
                      },
                  .check =
                      [](const ReadStage& options) {
                        check_file("data", options.data);
                        if (!options.decontaminate.empty())
                          check_file("decontaminate", options.decontaminate);
                      },
                  .run = run_read,
              });

}  // namespace
}  // namespace plaudit
