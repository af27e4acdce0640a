// Updates per second of the learners of control beside plain PyTorch (IQL) and
// Stable-Baselines3 (SAC): networks of 256x256, batches of 256, the widths of HalfCheetah.
#pragma once

#include <string>

#include "bench/bench.h"

namespace plaudit::bench {

// Updates per second of "iql" or "sac" on so many threads over at least `seconds`, after a warm-up.
double measure_updates(const std::string& learner, int threads, double seconds);

// One job a learner, `repeats` rounds in turns with the peer, whose script lies in `scripts`; python "": no
// peer. With several threads the peer runs on as many and on one, and its better rate counts: products of
// this size need not gain from a second thread.
JobResult run_updates(const std::string& learner, int threads, double seconds, int64_t repeats,
                      const std::string& python, const std::string& scripts);

}  // namespace plaudit::bench
