// One job of `plaudit bench lm`, done by a process of its own.
#pragma once

#include <string>

namespace plaudit::bench {

// Runs the job that a file describes and writes what was measured to its "out":
//   {"job": "sft|reward|kto|plackett-luce" or the name of a preference loss, "precision": "f32|bf16",
//   "model", "data": file of step_data(), "out"}
//   {"job": "sampling", "precision", "model", "batch", "prompt_tokens", "new_tokens", "out"}
// Result: {"rate": tokens/s, "seconds", "flop": of the timed products, "bytes": of weights read,
//  "peak_mib", "same_work"}; "flop" of t-reg and srpo leaves out what they read beside the pair.
//   {"job": "steering", "rounds", and what sampling has}
// Result: {"steered": [tokens/s, one a round], "plain": [the same], "peak_mib", "same_work"}.
void run_lm_worker(const std::string& job_file);

}  // namespace plaudit::bench
