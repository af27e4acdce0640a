// What is measured of a policy on sentilang, and the artefacts that its stages hand on.
#pragma once

#include <string>
#include <vector>

#include "plaudit/model/ngram.h"
#include "plaudit/run/context.h"

namespace plaudit {

// Pairs of answers to the same prompts.
struct SentilangPairs {
  SentilangLines chosen, rejected;
};

// Two answers to each prompt, and which of them wins, [N] bool.
SentilangPairs preferred_pairs(const SentilangLines& first, const SentilangLines& second,
                               const at::Tensor& first_wins);

// sigma(.8 times the sentiment of the answer), [N].
at::Tensor gold_rewards(const SentilangLines& lines);

struct PolicyMeasures {
  double reward = 0;            // mean gold reward
  double kl = 0;                // of the answers from the reference, exact at each word, nats
  double length = 0;            // words without EOS
  double entropy = 0;           // mean over the words
  double distinct_bigrams = 0;  // neighbouring words of the answers, EOS included
};

// Of one answer to each prompt [N,4]. With `sample` the answers come back.
PolicyMeasures measure_policy(const at::Tensor& logits, const at::Tensor& ref_log_probs,
                              const at::Tensor& prompts, Rng rng, SentilangLines* sample = nullptr);

// Adds them to the summary of a stage, as "reward@50" with suffix "@50".
void report_measures(const PolicyMeasures& measures, const std::string& suffix, RunContext& context);

double distinct_bigrams(const SentilangLines& lines);

}  // namespace plaudit
