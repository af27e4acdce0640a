// Random finite MDPs for property tests.
#pragma once

#include "plaudit/env/tabular.h"
#include "plaudit/env/tabular_worlds.h"
#include "tests/support/property.h"

namespace plaudit::testing {

struct RandomMdp {
  Tensor transition, reward, policy, initial;
  double gamma;

  static RandomMdp draw(int64_t most_states = 6, int64_t most_actions = 3) {
    const int64_t s = integer(1, most_states), a = integer(1, most_actions);
    return {sparse_transition(normal({s, a, s}), 0.3), normal({s, a, s}), at::softmax(normal({s, a}), 1),
            at::softmax(normal({s}), 0), uniform({}, 0, 0.95).item<double>()};
  }

  Tensor random_policy() const { return at::softmax(normal(policy.sizes(), 3), 1); }
};

}  // namespace plaudit::testing
