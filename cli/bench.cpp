#include "bench/bench.h"

#include <fstream>
#include <memory>

#include "cli/commands.h"
#include "plaudit/core/errors.h"

namespace plaudit::cli {

void add_bench(CLI::App& app, int&) {
  auto* command = app.add_subcommand("bench", "measure speed beside the machine's limits");
  command->footer("Example:\n  plaudit bench limits --json bench.json");
  auto suite = std::make_shared<std::string>();
  auto json = std::make_shared<std::string>();
  command->add_option("suite", *suite, "what to measure: limits")->required();
  command->add_option("--json", *json, "also write {machine, limits, jobs} to this file");
  command->callback([suite, json] {
    if (*suite != "limits")
      fail(ErrorKind::value, "bench", "'" + *suite + "' is not known" + suggestion(*suite, {"limits"}));
    const auto report = bench::begin_report();
    bench::print(report);
    if (json->empty()) return;
    std::ofstream file(*json);
    file << bench::to_json(report).dump(1) << "\n";
    if (!file.flush()) fail(ErrorKind::io, *json, "cannot be written");
  });
}

}  // namespace plaudit::cli
