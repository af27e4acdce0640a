#include "plaudit/data/transitions.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {

TransitionTensors qlearning_dataset(const Tensor& observations, const Tensor& actions, const Tensor& rewards,
                                    const Tensor& terminals, const Tensor& timeouts, bool terminate_on_end) {
  const Check check("offline.qlearning_dataset");
  check_arguments(check, {{"observations", observations, "NS"},
                          {"actions", actions, "NA"},
                          {"rewards", rewards, "N"},
                          {"terminals", terminals, "N"},
                          {"timeouts", timeouts, "N"}});
  const int64_t last = observations.size(0) - 1;
  const auto kept = terminate_on_end ? at::ones({last}, timeouts.options().dtype(at::kBool))
                                     : timeouts.slice(0, 0, last).eq(0);
  const auto rows = kept.nonzero().squeeze(1);
  return {observations.index_select(0, rows), actions.index_select(0, rows), rewards.index_select(0, rows),
          observations.index_select(0, rows + 1), terminals.index_select(0, rows)};
}

NormalizedObservations normalize_observations(const Tensor& observations, const Tensor& next_observations,
                                              double eps) {
  const Check check("offline.normalize_observations");
  check_arguments(check,
                  {{"observations", observations, "NS"}, {"next_observations", next_observations, "NS"}});
  check.that(eps > 0, "eps", "> 0", eps);
  const auto now = as_real(observations), next = as_real(next_observations);
  const auto all = at::cat({now, next});
  const auto mean = all.mean(0), std = all.std(0, /*unbiased=*/false) + eps;
  return {mean, std, (now - mean) / std, (next - mean) / std};
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def(
      "qlearning_dataset(Tensor observations, Tensor actions, Tensor rewards, Tensor terminals, Tensor "
      "timeouts, "
      "bool terminate_on_end=False) -> (Tensor observations, Tensor actions, Tensor rewards, Tensor "
      "next_observations, Tensor terminals)",
      [](const Tensor& observations, const Tensor& actions, const Tensor& rewards, const Tensor& terminals,
         const Tensor& timeouts, bool terminate_on_end) {
        return as_tuple(
            qlearning_dataset(observations, actions, rewards, terminals, timeouts, terminate_on_end));
      },
      "Transitions from logged rows.", {"05"});
  m.def(
      "normalize_observations(Tensor observations, Tensor next_observations, float eps=0.001) -> (Tensor "
      "mean, "
      "Tensor std, Tensor observations, Tensor next_observations)",
      [](const Tensor& now, const Tensor& next, double eps) {
        return as_tuple(normalize_observations(now, next, eps));
      },
      "Observations on a common scale.", {"05"});
}

}  // namespace plaudit
