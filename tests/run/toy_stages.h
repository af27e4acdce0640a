// Stages for tests of the engine: they draw numbers and add them up, slowly if asked, and can be interrupted,
// killed and resumed like real ones.
//
//   toy_tally (section) -> toy_draw -> draws -> toy_add (edits toy_tally) -> toy_tell (metrics, report)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plaudit {

struct Draws {
  std::vector<double> values;
};

struct Tally {
  double total = 0, start = 0;
  int64_t additions = 0;
};

// A recipe of all of them, and the number of stages that it unrolls to.
inline constexpr const char* toy_recipe = R"(doc: Draws numbers and adds them up.
seed: 5
parameters:
  count: {doc: how many numbers, default: 6}
toy_tally: {spread: 2}
stages:
  - toy_draw: {count: "${count}"}
  - toy_add
  - repeat:
      times: 2
      stages:
        - toy_draw: {count: 3, law: uniform}
        - toy_add: {weights: [1, 0.5]}
  - toy_tell: {}
    name: end
)";
inline constexpr int toy_stage_count = 7;

// How many toy stages this process has run to their end.
int64_t toy_stages_run();

}  // namespace plaudit
