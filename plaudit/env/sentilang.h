// sentilang: a language of 43 words whose sentiment is known, small enough that a table is a good model of
// it.
//
// Words: 0 PAD, 1 BOS, 2 EOS, 3-10 topics, 11-22 neutral, 23-32 positive (weight +1), 33-42 negative (-1). A
// line is a prompt of four words (BOS, a topic, two uniform neutrals) and an answer of at most twelve, EOS
// included; a line that has not ended by then has none. The answer draws a mood; from its fourth word on it
// ends with probability .12, else it draws a class of words by the mood, and in the class the word
// (5 previous + 3) mod size with probability .6, else any.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

#include "plaudit/core/rng.h"

namespace plaudit {

namespace sentilang {

inline constexpr int64_t vocabulary = 43, pad = 0, bos = 1, eos = 2;
inline constexpr int64_t prompt_length = 4, answer_length = 12, classes = 5;

enum WordClass : int64_t { special = 0, topic = 1, neutral = 2, positive = 3, negative = 4 };

WordClass class_of(int64_t word);

// The weight of each word, [43] f64, and its class, [43] i64.
at::Tensor weights();
const at::Tensor& word_classes();

}  // namespace sentilang

// Prompts with an answer each.
struct SentilangLines {
  at::Tensor tokens;   // [N,16] i64, PAD behind the answer
  at::Tensor lengths;  // [N] i64, words of the answer, EOS included
  at::Tensor groups;   // [N] i64, which instruction a line answers; all 0 where there is one

  int64_t size() const { return tokens.size(0); }
  at::Tensor prompts() const;  // [N,4]
  at::Tensor answers() const;  // [N,12]
  at::Tensor mask() const;     // [N,12] bool, true at words of the answer
  at::Tensor ended() const;    // [N] bool, the last word is EOS
  at::Tensor words() const;    // [N] i64, words of the answer without EOS
  // Those lines, in that order.
  SentilangLines pick(const at::Tensor& index) const;
};

// Probabilities of the moods.
struct Moods {
  double negative = 0.3, neutral = 0.4, positive = 0.3;
};

// [N,4]
at::Tensor sentilang_prompts(int64_t count, Rng& rng);

// Answers of the language itself behind `prompts` [N,4].
SentilangLines sentilang_answers(const at::Tensor& prompts, const Moods& moods, Rng& rng);

// Lines of the language: fresh prompts and their answers.
SentilangLines sentilang_corpus(int64_t count, const Moods& moods, Rng& rng);

}  // namespace plaudit
