#include "plaudit/claim/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

bool bar_holds(double value, const std::string& compare, double bound) {
  if (compare == ">=") return value >= bound;
  if (compare == "<=") return value <= bound;
  if (compare == ">") return value > bound;
  return value < bound;
}

std::string opposite(const std::string& compare) {
  return compare == ">=" ? "<" : compare == "<=" ? ">" : compare == ">" ? "<=" : ">=";
}

double worst_of(const std::vector<double>& values, const std::string& compare) {
  for (const double value : values)
    if (std::isnan(value)) return value;
  const bool low = compare.front() == '>';
  return low ? *std::min_element(values.begin(), values.end())
             : *std::max_element(values.begin(), values.end());
}

ClaimValue lookup(const ClaimRun& run, const MetricReference& reference, const Substitution& swap) {
  const auto swapped = swap.find(reference.variant);
  const auto& variant = swapped == swap.end() ? reference.variant : swapped->second;
  ClaimValue out;
  for (const auto& result : run.variants.at(variant)) {
    out.seeds.push_back(result.values(reference.metric));
    if (!out.seeds.back().empty()) continue;
    std::vector<std::string> known;
    for (const auto& [name, value] : result.metrics) known.push_back(name);
    fail(ErrorKind::value, "claim",
         fmt::format("variant '{}' measured no '{}'{}", variant, reference.metric,
                     suggestion(reference.metric, known)));
  }
  return out;
}

BarResult judged(const ClaimBar& bar, const ClaimRun& run, const Substitution& swap) {
  const auto values =
      bar.value.evaluate([&](const MetricReference& reference) { return lookup(run, reference, swap); })
          .elements();
  if (values.empty()) fail(ErrorKind::empty, "claim", "bar '" + bar.name + "' compares nothing");
  BarResult out{bar.name, worst_of(values, bar.compare), values, bar.compare, bar.bound, false, false};
  out.pass = bar_holds(out.value, bar.compare, bar.bound);
  return out;
}

BarResult control(const ClaimBar& bar, const ClaimRun& run, const Substitution& swap) {
  // Every seed must miss, not only the worst one: the value that is nearest to the bar counts.
  auto out = judged(bar, run, swap);
  std::string names;
  for (const auto& [from, to] : swap) names += (names.empty() ? "" : ", ") + to;
  out.name = fmt::format("control: {} misses \"{}\"", names, bar.name);
  out.control = true;
  out.compare = opposite(bar.compare);
  out.value = worst_of(out.values, out.compare);
  out.pass = bar_holds(out.value, out.compare, out.bound);
  return out;
}

}  // namespace

std::vector<BarResult> judge(const Claim& claim, const ClaimRun& run) {
  std::vector<BarResult> out;
  const auto seeds = static_cast<int64_t>(run.seeds.size());
  for (const auto& bar : claim.bars) {
    if (seeds < bar.min_seeds || (bar.max_seeds > 0 && seeds > bar.max_seeds)) continue;
    out.push_back(judged(bar, run, {}));
    for (const auto& swap : bar.must_miss) out.push_back(control(bar, run, swap));
  }
  if (claim.seconds_per_seed > 0) {
    const double most = worst_of(run.cpu_seconds, "<=");
    out.push_back({"seconds of a processor per seed", most, run.cpu_seconds, "<=", claim.seconds_per_seed,
                   false, most <= claim.seconds_per_seed});
  }
  return out;
}

bool all_pass(const std::vector<BarResult>& bars) {
  return std::all_of(bars.begin(), bars.end(), [](const BarResult& bar) { return bar.pass; });
}

}  // namespace plaudit
