// The speed of sampling: prompts of random tokens, answers of a fixed length.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/model/generate.h"

namespace plaudit::bench {

struct SamplingRate {
  double tokens_per_second = 0;  // new tokens over the whole time, prompts included
  double seconds = 0;
  double pack_seconds = 0;  // to lay the weights out, once per model; not part of `seconds`
};

// Draws `batch` answers of `new_tokens` tokens side by side, at temperature 1 without filters, each to its
// own prompt of `prompt_tokens` random tokens, after a warm-up of a few tokens.
SamplingRate measure_sampling(const LanguageModel& model, int64_t prompt_tokens, int64_t new_tokens,
                              int64_t batch, const std::string& precision);

// Tokens per second of the same sampling with and without steering, one each per round.
struct SteeredRates {
  std::vector<double> steered, plain;
};

// Both take turns in this process, so that what else the machine does meets both alike.
SteeredRates measure_steering(const LanguageModel& model, std::shared_ptr<const Steering> steering,
                              int64_t prompt_tokens, int64_t new_tokens, int64_t batch,
                              const std::string& precision, int64_t rounds);

}  // namespace plaudit::bench
