#include "plaudit/eval/pass_at_k.h"

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"

namespace plaudit {

double pass_at_k(int64_t n, int64_t c, int64_t k) {
  const Check check("eval.pass_at_k");
  check.that(n >= 1, "n", ">= 1", n);
  check.that(c >= 0 && c <= n, "c", fmt::format("in [0, {}]", n), c);
  check.that(k >= 1 && k <= n, "k", fmt::format("in [1, {}]", n), k);
  double none = 1;  // the probability that none of the k is right: prod_{i=n-c+1..n} (1 - k/i)
  for (int64_t i = n - c + 1; i <= n && none > 0; ++i)
    none *= i <= k ? 0 : 1 - static_cast<double>(k) / static_cast<double>(i);
  return 1 - none;
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("pass_at_k(int n, int c, int k) -> (float pass_at_k)", &pass_at_k,
        "Unbiased probability that at least one of k samples is right.", {"15"});
}

}  // namespace plaudit
