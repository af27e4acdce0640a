#include "bench/sampling.h"

#include "bench/bench.h"

#include <chrono>

namespace plaudit::bench {

SamplingRate measure_sampling(const LanguageModel& model, int64_t prompt_tokens, int64_t new_tokens,
                              int64_t batch, const std::string& precision) {
  SamplingRate rate;
  auto start = std::chrono::steady_clock::now();
  const Generator generator(model, precision);
  rate.pack_seconds = seconds_since(start);

  Rng rng(0, "bench/sampling");
  std::vector<std::vector<int64_t>> prompts(static_cast<size_t>(batch));
  for (auto& prompt : prompts)
    for (int64_t i = 0; i < prompt_tokens; ++i)
      prompt.push_back(rng.below(model.transformer->config().vocab));
  const auto run = [&](int64_t tokens) {
    generator.generate(prompts, {.max_new_tokens = tokens, .batch = batch, .ignore_stop = true}, rng);
  };
  run(4);
  start = std::chrono::steady_clock::now();
  run(new_tokens);
  rate.seconds = seconds_since(start);
  rate.tokens_per_second = static_cast<double>(batch * new_tokens) / rate.seconds;
  return rate;
}

}  // namespace plaudit::bench
