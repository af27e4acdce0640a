// `plaudit bench lm`: training steps and sampling of a language model, beside the machine's limits and,
// where they are installed, beside TRL and transformers doing the same work.
#pragma once

#include <string>
#include <vector>

#include "bench/bench.h"

namespace plaudit::bench {

struct LmOptions {
  std::string model = "smollm2-135m";
  // "steering" is sampling steered by a value model of random weights, beside plaudit's own without.
  std::vector<std::string> jobs = {"sft", "reward", "dpo", "kto", "sampling", "steering"};
  // Preference losses measured on the batches of dpo, with plaudit's own dpo as the peer; "all": every one.
  std::vector<std::string> losses = {};
  // Empty: f32, and bf16 where the processor multiplies it (elsewhere the peers would take hours).
  std::vector<std::string> precisions = {};
  std::vector<int64_t> batches = {1, 8, 32};  // of sampling and steering
  int64_t prompt_tokens = 128, new_tokens = 128;
  int64_t batch = 4, steps = 4;  // of training; the first step is not timed
  int64_t repeats = 3;           // rounds, ours and the peer in turns
  bool peers = true;
  std::string peer_scripts = "";  // folder; "": bench/peers beside the program's build folder
};

// UserErrors, before anything is measured: an option out of range or unknown (value); while measuring: a job
// that fails (io).
BenchReport run_lm(LmOptions options);

}  // namespace plaudit::bench
