// Answers with scores as training reads them.
#pragma once

#include <vector>

#include "plaudit/data/answers.h"

namespace plaudit {

// The answers to one prompt, with one score per objective each.
struct ScoredExample {
  TokenizedAnswers tokens;
  std::vector<std::vector<double>> scores;  // [answers][objectives]
};

}  // namespace plaudit
