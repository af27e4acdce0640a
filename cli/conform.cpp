#include "plaudit/core/conform.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "cli/commands.h"
#include "plaudit/core/errors.h"

namespace plaudit::cli {
namespace {

void print_totals(const std::vector<CaseResult>& results, bool verbose, bool allow_missing) {
  for (const auto& r : results) {
    const bool quiet = r.status == "pass" || (r.status == "missing" && allow_missing);
    if (!quiet || verbose) fmt::print("{:<7} {:<40} {:<36} {}\n", r.status, r.id, r.function, r.message);
  }
}

void write_results(const std::string& path, const std::vector<CaseResult>& results, size_t passed) {
  Json cases = Json::array();
  for (const auto& r : results)
    cases.push_back({{"id", r.id},
                     {"function", r.function},
                     {"status", r.status},
                     {"message", r.message},
                     {"seconds", r.seconds}});
  std::ofstream file(path);
  file << Json{{"passed", passed}, {"failed", results.size() - passed}, {"cases", cases}}.dump(1) << "\n";
  if (!file.flush()) fail(ErrorKind::io, path, "cannot be written");
}

}  // namespace

void add_conform(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("conform", "run numeric cases against the functions");
  command->footer("Example:\n  plaudit conform tests/cases/*.json");
  auto files = std::make_shared<std::vector<std::string>>();
  auto json = std::make_shared<std::string>();
  auto only = std::make_shared<std::string>();
  auto allow_missing = std::make_shared<bool>(false);
  auto verbose = std::make_shared<bool>(false);
  command->add_option("files", *files, "case files")->required();
  command->add_option("--only", *only, "only functions whose name starts with this");
  command->add_option("--json", *json, "also write the results to this file");
  command->add_flag("--allow-missing", *allow_missing,
                    "count cases of functions that are not there, but do not fail");
  command->add_flag("-v,--verbose", *verbose, "list the cases that pass, too");
  command->callback([=, &exit_code] {
    std::vector<CaseResult> results;
    for (const auto& path : *files) {
      for (auto& result : run_case_file(path, *only)) results.push_back(std::move(result));
    }
    const auto passed = static_cast<size_t>(
        std::count_if(results.begin(), results.end(), [](const auto& r) { return r.status == "pass"; }));
    const auto missing = static_cast<size_t>(
        std::count_if(results.begin(), results.end(), [](const auto& r) { return r.status == "missing"; }));
    print_totals(results, *verbose, *allow_missing);
    if (*allow_missing)
      fmt::print("{} passed, {} failed, {} missing\n", passed, results.size() - passed - missing, missing);
    else
      fmt::print("{} passed, {} failed\n", passed, results.size() - passed);
    if (!json->empty()) write_results(*json, results, passed);
    if (passed + (*allow_missing ? missing : 0) != results.size()) exit_code = 1;
  });
}

}  // namespace plaudit::cli
