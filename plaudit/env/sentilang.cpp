#include "plaudit/env/sentilang.h"

#include <ATen/ATen.h>

namespace plaudit {

using namespace sentilang;

namespace {

struct ClassRange {
  int64_t first, size;
};
constexpr ClassRange kRanges[] = {{0, 3}, {3, 8}, {11, 12}, {23, 10}, {33, 10}};

constexpr double kEndProbability = 0.12, kChainedProbability = 0.6;
constexpr int64_t kFirstEnd = 3;  // the earliest place of EOS, 0-based

// Probability of a positive and of a negative word in the moods negative, neutral, positive.
constexpr double kWordProbability[3][2] = {{0.05, 0.5}, {0.12, 0.12}, {0.5, 0.05}};

int64_t draw_word(int mood, int64_t previous, Rng& rng) {
  const double u = rng.uniform();
  const auto [p, n] = kWordProbability[mood];
  const auto range = kRanges[u < p ? positive : u < p + n ? negative : neutral];
  if (rng.uniform() < kChainedProbability) return range.first + (5 * previous + 3) % range.size;
  return range.first + rng.below(range.size);
}

int draw_mood(const Moods& moods, Rng& rng) {
  const float probabilities[] = {static_cast<float>(moods.negative), static_cast<float>(moods.neutral),
                                 static_cast<float>(moods.positive)};
  return static_cast<int>(rng.categorical(probabilities, 3));
}

// Writes an answer of at most twelve words and returns how many.
int64_t write_answer(int64_t* words, int64_t previous, const Moods& moods, Rng& rng) {
  const int mood = draw_mood(moods, rng);
  for (int64_t t = 0; t < answer_length; ++t) {
    const bool ends = t >= kFirstEnd && rng.uniform() < kEndProbability;
    words[t] = ends ? eos : draw_word(mood, previous, rng);
    if (ends) return t + 1;
    previous = words[t];
  }
  return answer_length;
}

}  // namespace

WordClass sentilang::class_of(int64_t word) {
  for (const auto kind : {topic, neutral, positive, negative})
    if (word >= kRanges[kind].first && word < kRanges[kind].first + kRanges[kind].size) return kind;
  return special;
}

at::Tensor sentilang::weights() {
  auto out = at::zeros({vocabulary}, at::kDouble);
  for (const auto& [kind, weight] : {std::pair{positive, 1.0}, std::pair{negative, -1.0}})
    out.narrow(0, kRanges[kind].first, kRanges[kind].size).fill_(weight);
  return out;
}

const at::Tensor& sentilang::word_classes() {
  static const auto table = [] {
    auto out = at::empty({vocabulary}, at::kLong);
    for (int64_t word = 0; word < vocabulary; ++word) out.mutable_data_ptr<int64_t>()[word] = class_of(word);
    return out;
  }();
  return table;
}

at::Tensor SentilangLines::prompts() const {
  return tokens.narrow(1, 0, prompt_length);
}

at::Tensor SentilangLines::answers() const {
  return tokens.narrow(1, prompt_length, answer_length);
}

at::Tensor SentilangLines::mask() const {
  return at::arange(answer_length, at::kLong).unsqueeze(0) < lengths.unsqueeze(1);
}

at::Tensor SentilangLines::ended() const {
  return answers().gather(1, (lengths - 1).unsqueeze(1)).squeeze(1).eq(eos);
}

at::Tensor SentilangLines::words() const {
  return lengths - ended().to(at::kLong);
}

SentilangLines SentilangLines::pick(const at::Tensor& index) const {
  return {tokens.index_select(0, index), lengths.index_select(0, index), groups.index_select(0, index)};
}

at::Tensor sentilang_prompts(int64_t count, Rng& rng) {
  auto out = at::empty({count, prompt_length}, at::kLong);
  auto* words = out.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i, words += prompt_length) {
    words[0] = bos;
    words[1] = kRanges[topic].first + rng.below(kRanges[topic].size);
    for (int64_t j = 2; j < prompt_length; ++j)
      words[j] = kRanges[neutral].first + rng.below(kRanges[neutral].size);
  }
  return out;
}

SentilangLines sentilang_answers(const at::Tensor& prompts, const Moods& moods, Rng& rng) {
  const int64_t count = prompts.size(0), width = prompt_length + answer_length;
  SentilangLines out{at::zeros({count, width}, at::kLong), at::empty({count}, at::kLong),
                     at::zeros({count}, at::kLong)};
  out.prompts().copy_(prompts);
  auto* words = out.tokens.mutable_data_ptr<int64_t>();
  auto* lengths = out.lengths.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i, words += width)
    lengths[i] = write_answer(words + prompt_length, words[prompt_length - 1], moods, rng);
  return out;
}

SentilangLines sentilang_corpus(int64_t count, const Moods& moods, Rng& rng) {
  return sentilang_answers(sentilang_prompts(count, rng), moods, rng);
}

}  // namespace plaudit
