// Claims: what a published method is said to do, as data that a small experiment checks (docs/claims.md).
//
//   claim: "48"
//   title: DPO reaches the reward of PPO without a reward model
//   seeds: [0, 1, 2]
//   seconds_per_seed: 30                 # of processor time, all variants together
//   parameters: {pairs: {doc: prompts with two answers, default: 3000}}    # plaudit claim 48 --set
//   pairs=1000 prepare:                             # stages that all variants share, run once per seed
//     - corpus: {lines: 8000}
//   stages:                              # of each variant, with its values in the place of ${...}
//     - prefer: {loss: dpo, beta: "${beta}"}
//   variants:
//     dpo: {beta: 0.1}
//     reversed: {beta: 0.1, stages: [...]}    # other stages than the rest
//   metrics: {reward: mean gold reward}  # what bars, tables and plots may name
//   bars:
//     - {name: learns, value: "{dpo reward}", at_least: 0.88, must_miss: {dpo: reversed}}
//   plots: [{x: kl, y: reward}, {y: reward}]
//
// Several experiments stand under `parts`, each with prepare, stages, variants and parameters of its own. A
// bar is a formula (claim/expression.h) with at_least, at_most, above or below; it holds when all its
// elements do. `must_miss` names negative controls: with those variants in the place of others the bar must
// not hold.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/claim/expression.h"
#include "plaudit/run/recipe_plan.h"

namespace plaudit {

struct ClaimVariant {
  std::string name, part;
  std::vector<PlannedStage> plan;
  size_t prepared = 0;      // how many stages of the plan are shared
  std::string prepare_key;  // equal for variants that share them
  Json resolved;            // the stages with all options
};

// Variants that stand in for others.
using Substitution = std::map<std::string, std::string>;

struct ClaimBar {
  std::string name;
  ClaimFormula value;
  std::string compare;  // ">=", "<=", ">", "<"
  double bound = 0;
  int64_t min_seeds = 0, max_seeds = 0;  // judged only with that many; 0: any
  std::vector<Substitution> must_miss;
};

struct ClaimPlot {
  std::string title, x, y;            // metrics; without x a bar for each variant
  std::vector<std::string> variants;  // empty: all that measured y
};

struct Claim {
  std::string number, name, title, doc, path;
  std::vector<int64_t> seeds;
  double seconds_per_seed = 0;  // 0: no limit
  std::vector<ClaimVariant> variants;
  std::vector<std::pair<std::string, std::string>> metrics;  // name, doc
  std::vector<ClaimBar> bars;
  std::vector<ClaimPlot> plots;
  std::string digest;  // of the file and the changes

  const ClaimVariant* find(const std::string& variant) const;
};

// Reads and checks a claim; `changes` are "key=value" for its parameters. UserErrors start with file, line
// and key.
Claim load_claim(const std::string& path, const std::vector<std::string>& changes = {});
Claim load_claim_text(const std::string& text, const std::string& path,
                      const std::vector<std::string>& changes = {});

}  // namespace plaudit
