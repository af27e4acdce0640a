// The formulas of bars: numbers that a claim's variants measured, and what must hold of them.
//
//   {dpo reward}                      metric "reward" of the variant "dpo", one number per seed
//   {dpo reward@*}                    all metrics of that form, a list per seed, in the order of measuring
//   + - * / ( )  < <= > >=            element by element; a comparison gives 1 or 0
//   mean(x) sum(x) min(x) max(x)      over all seeds and all their elements, one number
//   min(x, y, ...)  max(x, y, ...)    element by element
//   abs(x)
//   differences(x)                    of neighbours in each seed's list
//   best(y, x, limit)                 per seed, the largest y where x <= limit
//   seed_mean(x) seed_max(x)          over each seed's list
//
// One number goes with any shape, a single element per seed with a list. UserErrors (value) name the formula.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace plaudit {

// A number (`shared`), or a list of numbers for each seed.
struct ClaimValue {
  bool shared = false;
  std::vector<std::vector<double>> seeds;  // one list with one number when shared

  // All elements in a row.
  std::vector<double> elements() const;
};

struct MetricReference {
  std::string variant, metric;  // the metric may end in '*'
};

class ClaimFormula {
 public:
  explicit ClaimFormula(const std::string& text);

  const std::string& text() const { return text_; }
  const std::vector<MetricReference>& references() const { return references_; }

  using Lookup = std::function<ClaimValue(const MetricReference&)>;
  ClaimValue evaluate(const Lookup& lookup) const;

  struct Node;

 private:
  std::string text_;
  std::shared_ptr<const Node> root_;
  std::vector<MetricReference> references_;
};

}  // namespace plaudit
