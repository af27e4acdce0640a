// Runs the variants of a claim at some seeds, side by side, each on one thread; what is finished is kept.
//
// Folder: results/<variant>-seed-<n>.json for each finished run, used again as long as claim and program are
// the same.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plaudit/claim/claim.h"

namespace plaudit {

// What one variant measured at one seed.
struct VariantResult {
  std::vector<std::pair<std::string, double>> metrics;  // in the order of measuring
  double seconds = 0;                                   // of processor time, in the variant's own stages
  double prepare_seconds = 0;                           // the same in the stages it shares
  bool reused = false;                                  // of an earlier run

  // The metrics of that name, or of that form when it ends in '*'.
  std::vector<double> values(const std::string& metric) const;
};

struct ClaimRun {
  std::vector<int64_t> seeds;
  std::map<std::string, std::vector<VariantResult>> variants;  // one result per seed
  double seconds = 0;                                          // on the clock, of this process
  std::vector<double> cpu_seconds;                             // per seed, shared stages counted once
};

struct ClaimRunOptions {
  std::vector<int64_t> seeds;  // empty: the claim's own
  int64_t jobs = 0;            // 0: one per processor
  std::string folder;          // "": nothing is kept
};

// UserErrors of a stage come with variant and seed. Throws InterruptedError after Ctrl-C, finished runs kept.
ClaimRun run_claim(const Claim& claim, const ClaimRunOptions& options);

// Identifies this program: results of another one are not used again.
std::string program_digest();

}  // namespace plaudit
