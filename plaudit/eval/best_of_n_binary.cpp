#include "plaudit/eval/best_of_n_binary.h"

#include <cmath>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {

BestOfNBinary best_of_n_binary(double pass_rate, int64_t n) {
  const Check check("tabular.best_of_n_binary");
  if (!std::isfinite(pass_rate)) check.refuse(ErrorKind::nan, "pass_rate", "is NaN or infinite");
  check.that(pass_rate > 0 && pass_rate < 1, "pass_rate", "in (0, 1)", pass_rate);
  check.that(n >= 1, "n", ">= 1", n);
  const double log_wrong = std::log1p(-pass_rate);
  const double all_wrong = static_cast<double>(n) * log_wrong;  // log (1-p)^n
  const double right = -std::expm1(all_wrong);
  return {right, std::log(right) - all_wrong - std::log(pass_rate) + log_wrong};
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def("best_of_n_binary(float pass_rate, int n) -> (float bon_pass_rate, float inverse_beta)",
        [](double pass_rate, int64_t n) { return as_tuple(best_of_n_binary(pass_rate, n)); },
        "The pass rate of best of n and the KL weight that gives the same.", {"39"});
}

}  // namespace plaudit
