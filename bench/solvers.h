// What the exact solvers cost: transport plans beside POT's, finite MDPs of 1,000 states, best-of-n of
// 100,000.
#pragma once

#include "bench/bench.h"

namespace plaudit::bench {

// Entropic Gromov-Wasserstein plans between 100, 200 and 400 points, three seeds each, beside POT on the same
// points where it is installed; `same_work` holds the objectives.
void add_transport(BenchReport& report);

// Calls a second of every solver of `tabular` at 1,000 states and 3 actions; more than 1 is under a second.
void add_tabular(BenchReport& report);

// Estimators of best-of-n with 100,000 answers.
void add_best_of_n(BenchReport& report);

}  // namespace plaudit::bench
