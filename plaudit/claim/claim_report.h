// What a claim found: for people as text, markdown and plots, for programs as JSON.
#pragma once

#include "plaudit/claim/verdict.h"

namespace plaudit {

// {"claim", "title", "seeds", "bars": [{"name", "value", "values", "bound", "compare", "pass", "control"}],
// "variants": {name: {metric: {"mean", "low", "high", "values": [[per seed]]}}}, "seconds", "cpu_seconds",
// "verdict": "pass|fail"}
Json claim_json(const Claim& claim, const ClaimRun& run, const std::vector<BarResult>& bars);

// Variants by metrics, mean and range over seeds; then each bar with PASS or FAIL.
std::string claim_text(const Claim& claim, const ClaimRun& run, const std::vector<BarResult>& bars);
std::string claim_markdown(const Claim& claim, const ClaimRun& run, const std::vector<BarResult>& bars);

// One <svg> per plot of the claim: means over seeds, their range as whiskers or bands.
std::vector<std::string> claim_plots(const Claim& claim, const ClaimRun& run);

// result.json, table.txt, table.md and plot-1.svg ... in the folder.
void write_claim_report(const std::string& folder, const Claim& claim, const ClaimRun& run,
                        const std::vector<BarResult>& bars);

}  // namespace plaudit
