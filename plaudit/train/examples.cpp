#include "plaudit/train/examples.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/core/hash.h"

namespace plaudit {
namespace {

template <class T>
uint64_t hash_numbers(const std::vector<T>& numbers, uint64_t start) {
  const auto size = static_cast<uint64_t>(numbers.size());
  return hash64({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)},
                mix64(start ^ size));
}

}  // namespace

std::vector<const TokenizedAnswers*> select(const std::vector<TokenizedAnswers>& all,
                                            const std::vector<int64_t>& chosen) {
  std::vector<const TokenizedAnswers*> out;
  out.reserve(chosen.size());
  for (const auto i : chosen) out.push_back(&all.at(static_cast<size_t>(i)));
  return out;
}

at::Tensor pick(const std::vector<double>& all, const std::vector<int64_t>& chosen, const at::Tensor& like) {
  std::vector<double> out;
  out.reserve(chosen.size());
  for (const auto i : chosen) out.push_back(all.at(static_cast<size_t>(i)));
  return at::tensor(out, like.options().requires_grad(false));
}

std::string show_answers(const Tokenizer& tokenizer, const TokenizedAnswers& example) {
  std::string out = "prompt: " + tokenizer.decode(example.prompt);
  for (size_t i = 0; i < example.answers.size(); ++i)
    out += fmt::format("\nanswer {}: {}", i + 1, tokenizer.decode(example.answers[i]));
  return out;
}

uint64_t hash_examples(const std::vector<TokenizedAnswers>& examples, const std::vector<double>& weights) {
  uint64_t hash = hash_numbers(weights, 0);
  for (const auto& example : examples) {
    hash = hash_numbers(example.prompt, hash);
    for (const auto& answer : example.answers) hash = hash_numbers(answer, hash);
  }
  return hash;
}

uint64_t hash_run(const LanguageModel& model, uint64_t examples) {
  const auto& transformer = *model.transformer;
  return hash_numbers<uint64_t>({transformer.fingerprint(), static_cast<uint64_t>(transformer.precision()),
                                 model.tokenizer->fingerprint(), examples},
                                0);
}

std::map<std::string, int64_t> as_map(const AnswerCounts& counts) {
  return {{"examples", counts.examples},
          {"prompts_cut", counts.prompts_cut},
          {"answers_cut", counts.answers_cut},
          {"dropped", counts.dropped},
          {"tokens", counts.tokens}};
}

void check_weights(const std::string& where, const std::vector<double>& weights) {
  double total = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || !std::isfinite(weights[i]))
      fail(ErrorKind::value, where, fmt::format("weight of example {} must be >= 0, got {}", i, weights[i]));
    total += weights[i];
  }
  if (!weights.empty() && total == 0) fail(ErrorKind::value, where, "the weights of all examples are 0");
}

}  // namespace plaudit
