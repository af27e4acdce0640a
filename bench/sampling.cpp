#include "bench/sampling.h"

#include "bench/bench.h"

#include <chrono>

namespace plaudit::bench {
namespace {

// Answers the same prompts of random tokens as often as asked.
class SamplingRun {
 public:
  SamplingRun(const LanguageModel& model, int64_t prompt_tokens, int64_t batch, const std::string& precision,
              std::shared_ptr<const Steering> steering = nullptr)
      : generator_(model, precision, true, std::move(steering)), prompts_(static_cast<size_t>(batch)) {
    for (auto& prompt : prompts_)
      for (int64_t i = 0; i < prompt_tokens; ++i)
        prompt.push_back(rng_.below(model.transformer->config().vocab));
  }

  double seconds(int64_t new_tokens) const {
    const auto start = std::chrono::steady_clock::now();
    const auto batch = static_cast<int64_t>(prompts_.size());
    generator_.generate(prompts_, {.max_new_tokens = new_tokens, .batch = batch, .ignore_stop = true}, rng_);
    return seconds_since(start);
  }

  double rate(int64_t new_tokens) const {
    return static_cast<double>(static_cast<int64_t>(prompts_.size()) * new_tokens) / seconds(new_tokens);
  }

 private:
  Generator generator_;
  Rng rng_{0, "bench/sampling"};
  std::vector<std::vector<int64_t>> prompts_;
};

constexpr int64_t kWarmUpTokens = 4;

}  // namespace

SamplingRate measure_sampling(const LanguageModel& model, int64_t prompt_tokens, int64_t new_tokens,
                              int64_t batch, const std::string& precision) {
  SamplingRate rate;
  const auto start = std::chrono::steady_clock::now();
  const SamplingRun run(model, prompt_tokens, batch, precision);
  rate.pack_seconds = seconds_since(start);
  run.seconds(kWarmUpTokens);
  rate.seconds = run.seconds(new_tokens);
  rate.tokens_per_second = static_cast<double>(batch * new_tokens) / rate.seconds;
  return rate;
}

SteeredRates measure_steering(const LanguageModel& model, std::shared_ptr<const Steering> steering,
                              int64_t prompt_tokens, int64_t new_tokens, int64_t batch,
                              const std::string& precision, int64_t rounds) {
  const SamplingRun plain(model, prompt_tokens, batch, precision),
      steered(model, prompt_tokens, batch, precision, std::move(steering));
  plain.seconds(kWarmUpTokens);
  steered.seconds(kWarmUpTokens);
  SteeredRates rates;
  for (int64_t round = 0; round < rounds; ++round) {
    rates.plain.push_back(plain.rate(new_tokens));
    rates.steered.push_back(steered.rate(new_tokens));
  }
  return rates;
}

}  // namespace plaudit::bench
