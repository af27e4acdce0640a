// Driven by tests/python/test_tensorboard.py: writes a log in the folder that the argument names.
#include "plaudit/core/metrics.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  plaudit::MetricsLog log(argv[1]);
  log.begin("00-train");
  for (int64_t step = 1; step <= 300; ++step)
    log.log(step, {{"loss", 1.0 / static_cast<double>(step)}, {"reward", static_cast<double>(-step)}});
  log.begin("01-evaluate");
  log.log(0, {{"kl", 2.5}});
}
