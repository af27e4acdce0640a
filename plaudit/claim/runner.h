// Runs the variants of a claim at some seeds, side by side, each on one thread; what is finished is kept.
//
// Folder: results/<variant>-seed-<n>.json for each finished run, used again as long as claim and program are
// the same.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plaudit/claim/claim.h"
#include "plaudit/claim/result_store.h"

namespace plaudit {

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

}  // namespace plaudit
