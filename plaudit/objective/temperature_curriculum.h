// A curriculum over the temperature of an adversary: from nearly random to sharp, as fast as returns allow.
//
// Temperatures are drawn from Gamma(concentration, rate). Reddi et al., "Robust Adversarial RL via Bounded
// Rationality Curricula", 2024, arXiv 2311.01642. UserErrors: empty, shape, nan, value.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

struct GammaLaw {
  double concentration;  // > 0
  double rate;           // > 0
};

// KL(a || b) of two gamma distributions, nats.
double gamma_kl(const GammaLaw& a, const GammaLaw& b);

// From `initial` at iteration `start` to `target` at `end` in a straight line, constant outside.
struct TemperatureSchedule {
  double initial, target;
  double start, end;  // start <= end
};
double linear_temperature(const TemperatureSchedule& schedule, double iteration);

struct CurriculumOptions {
  double concentration;            // of the law that the temperatures came from, > 0
  double target_concentration;     // > 0
  double rate;                     // of both, > 0
  double performance_lower_bound;  // of the expected return
  double max_kl;                   // KL(new || old) at most, >= 0
};

struct CurriculumStep {
  double concentration;
  bool moved;
  double expected_return;  // importance-weighted, at the returned concentration
};

// The concentration nearest to the target on the segment towards it that keeps both bounds, by 200
// bisections; none when the mean return is already below the bound. `temperatures` > 0 and `returns` [n].
CurriculumStep temperature_curriculum_step(const Tensor& temperatures, const Tensor& returns,
                                           const CurriculumOptions& options);

}  // namespace plaudit
