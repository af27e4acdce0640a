// Two small stages for tests: `count` makes a list of numbers, `total` sums them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plaudit/run/context.h"

namespace plaudit::run {

struct CountOptions {
  int64_t to = 3;
  bool fail = false;
};

struct TotalOptions {
  double scale = 1;
};

// How often the stage `count` ran in this process.
int& count_runs();

}  // namespace plaudit::run
