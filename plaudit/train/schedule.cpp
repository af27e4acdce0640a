#include "plaudit/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

// The share of the peak at `progress` in [0, 1) of the updates after the warm-up.
using Shape = double (*)(double progress, double step, double warmup_steps);

struct Schedule {
  const char* name;
  Shape shape;
};

constexpr Schedule kSchedules[] = {
    {"constant", [](double, double, double) { return 1.0; }},
    {"linear", [](double progress, double, double) { return 1 - progress; }},
    {"cosine",
     [](double progress, double, double) { return 0.5 * (1 + std::cos(std::numbers::pi * progress)); }},
    {"inverse-sqrt", [](double, double step,
                        double warmup_steps) { return std::sqrt(std::max(warmup_steps, 1.0) / (step + 1)); }},
};

const Schedule& find_schedule(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& schedule : kSchedules) {
    if (name == schedule.name) return schedule;
    names.emplace_back(schedule.name);
  }
  fail(ErrorKind::value, "train.schedule", "unknown value '" + name + "'" + suggestion(name, names));
}

}  // namespace

double learning_rate_at(const TrainOptions& options, int64_t step, int64_t steps) {
  const auto& schedule = find_schedule(options.schedule);
  const double at = static_cast<double>(step), total = static_cast<double>(steps);
  const double warmup_steps = std::round(options.warmup * total);
  if (at < warmup_steps) return options.learning_rate * (at + 1) / warmup_steps;
  const double progress = (at - warmup_steps) / std::max(total - warmup_steps, 1.0);
  const double share = schedule.shape(progress, at, warmup_steps);
  // Linear and cosine end at the floor; inverse-sqrt has no end and stops at it.
  const double floor = options.min_learning_rate;
  const bool ends = options.schedule == "linear" || options.schedule == "cosine";
  return options.learning_rate * (ends ? floor + (1 - floor) * share : std::max(floor, share));
}

}  // namespace plaudit
