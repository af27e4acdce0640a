// What the training jobs of `plaudit bench lm` work on: pairs of answers of mixed lengths, the same token ids
// in the same order for plaudit and for its peers.
#pragma once

#include <vector>

#include "plaudit/core/files.h"
#include "plaudit/core/rng.h"
#include "plaudit/data/records.h"
#include "plaudit/data/tokenizer.h"
#include "plaudit/train/options.h"

namespace plaudit::bench {

// {"batch", "steps", "records": [{"prompt", "chosen", "rejected"} as text],
//  "examples": [{"prompt", "chosen", "rejected"} as ids, in the order of training],
//  "unpaired": [{"prompt", "completion", "desirable"} as ids, the answers of all pairs one by one, in the
//  order of training of kto, whose updates take 2 * batch of them],
//  "ranked": [{"prompt", "answers"} as ids, the lists of plackett-luce in the order of training]}.
// Prompts and answers have 16 to 256 words of random text each.
Json step_data(const std::shared_ptr<const Tokenizer>& tokenizer, int64_t batch, int64_t steps);

std::vector<PreferencePair> pairs_of(const Json& data);
std::vector<UnpairedFeedback> feedback_of(const Json& data);
// Lists of four: the answers of a pair, then those of the pair after it.
std::vector<RankedList> lists_of(const Json& data);

// How plaudit trains on the data, as the peers do: constant rate 1e-5, clipping at 1, no decay.
TrainOptions step_options(const Json& data, const std::string& job);
Rng step_rng();

// Unpadded tokens of update `step` that a user gave: a prompt counts with each of its answers. "sft" has the
// chosen answers alone. What a loss reads besides (t-reg, srpo: each answer behind others) does not count.
int64_t tokens_of_step(const Json& data, const std::string& job, int64_t step);

}  // namespace plaudit::bench
