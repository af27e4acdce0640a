#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "plaudit/claim/claim_files.h"
#include "plaudit/claim/claim_report.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/interrupt.h"
#include "plaudit/core/log.h"

namespace plaudit::cli {
namespace {

struct ClaimFlags {
  std::vector<std::string> claims, changes;
  std::optional<std::string> seeds;
  std::string json, out = "runs/claims", folder = "claims";
  int64_t jobs = 0;
};

std::vector<int64_t> read_seeds(const std::string& text) {
  std::vector<int64_t> out;
  size_t begin = 0;
  while (begin <= text.size()) {
    const auto end = std::min(text.find(',', begin), text.size());
    const auto word = text.substr(begin, end - begin);
    if (word.empty() || word.size() > 15 || word.find_first_not_of("0123456789") != std::string::npos)
      fail(ErrorKind::value, "--seeds", "must be whole numbers >= 0 such as 0,1,2, got '" + text + "'");
    out.push_back(std::stoll(word));
    if (std::count(out.begin(), out.end(), out.back()) > 1)
      fail(ErrorKind::value, "--seeds", "names " + word + " twice");
    begin = end + 1;
  }
  return out;
}

// Every file is checked before the first claim runs.
std::vector<Claim> load(const ClaimFlags& flags) {
  std::vector<Claim> out;
  for (const auto& file : choose_claims(flags.folder, flags.claims))
    out.push_back(load_claim(file.path, flags.changes));
  return out;
}

void run_claims(const ClaimFlags& flags, int& exit_code) {
  const auto seeds = flags.seeds ? read_seeds(*flags.seeds) : std::vector<int64_t>{};
  const auto claims = load(flags);
  const InterruptGuard guard;
  Json all = Json::array();
  std::vector<std::string> failed;
  for (const auto& claim : claims) {
    const auto folder = flags.out + "/" + claim.name;
    const auto run = run_claim(claim, {seeds, flags.jobs, folder});
    const auto bars = judge(claim, run);
    write_claim_report(folder, claim, run, bars);
    fmt::print("{}{}/table.md\n\n", claim_text(claim, run, bars), folder);
    all.push_back(claim_json(claim, run, bars));
    if (!all_pass(bars)) failed.push_back(claim.number);
    // After each claim: what ran is there even when the next one is stopped.
    if (!flags.json.empty()) write_json(flags.json, {{"claims", all}});
  }
  if (failed.empty()) return;
  fmt::print("bars were missed in claim {}\n", fmt::join(failed, ", "));
  exit_code = 1;
}

}  // namespace

void add_claim(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("claim", "re-run what a paper claims, small, and judge it by its bars");
  command->footer(
      "Examples:\n  plaudit claim 48\n  plaudit claim 19,48 --seeds 0,1,2 --json claims.json\n"
      "  plaudit claim all --jobs 2\n  plaudit claim 48 --set pairs=1000");
  auto flags = std::make_shared<ClaimFlags>();
  command->add_option("claims", flags->claims, "numbers of claims, files, or all")->required();
  command->add_option("--seeds", flags->seeds, "default: those of the claim");
  command->add_option("--jobs", flags->jobs, "variants that run side by side; default: one per processor")
      ->check(CLI::PositiveNumber);
  command->add_option("--json", flags->json,
                      "also write {claims: [{claim, bars, variants, verdict}]} to this file");
  command->add_option("--out", flags->out, "results, tables and plots; what is finished is not run again")
      ->capture_default_str();
  command->add_option("--set", flags->changes, "key=value: a parameter of the claim");
  command->add_option("--claims", flags->folder, "folder of the claims")->capture_default_str();
  command->callback([flags, &exit_code] { run_claims(*flags, exit_code); });
}

}  // namespace plaudit::cli
