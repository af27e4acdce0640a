// `plaudit bench functions`: what the pure functions cost beside the machine's limits.
#pragma once

#include "bench/bench.h"

namespace plaudit::bench {

// Measures log-probabilities of tokens over a vocabulary of 49,152, forward and with backward, as a
// share of the matrix-product rate; scans, returns and advantages over [256,1024] as a multiple of one pass
// over memory; calls of a compiled reward program a second, with no limit to compare with; and the solvers of
// solvers.h.
BenchReport run_functions();

}  // namespace plaudit::bench
