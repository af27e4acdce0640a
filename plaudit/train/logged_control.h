// Logged transitions as the experience of the control loop (control_loop.h).
#pragma once

#include <string>

#include "plaudit/data/transitions.h"
#include "plaudit/env/environment.h"
#include "plaudit/train/control_loop.h"

namespace plaudit {

// Actions [M,A] of a task's box as the learners have them, in [-1,1]. UserErrors that start with `source`:
// shape, with both widths; value, with row, column and bounds, for an action outside (by more than rounding,
// 1e-5 of the box) or a box without bounds.
at::Tensor unit_actions(const at::Tensor& actions, const Box& box, const std::string& source,
                        bool refuse_outside = true);

// Back again: actions [M,A] in [-1,1] as the task takes them, f32.
at::Tensor stretched_actions(const at::Tensor& unit, const Box& box);

class LoggedExperience : public Experience {
 public:
  // Actions are those of unit_actions. It rests every `report_every` steps. UserErrors that start with
  // `source`: empty, shape, nan with the column.
  LoggedExperience(const TransitionTensors& data, const std::string& source, int64_t report_every);

  std::string name() const override { return name_; }
  bool advance(int64_t step, const ControlActor&) override;
  ReplayBatch sample(int64_t batch, Rng& rng) const override;  // with replacement, no previous actions
  bool rests() const override { return step_ % report_every_ == 0; }
  void restore(const Json&) override {}

  int64_t size() const { return data_.rewards.size(0); }

 private:
  TransitionTensors data_;  // f32
  std::string name_;        // with a hash of all columns
  int64_t report_every_, step_ = 0;
};

}  // namespace plaudit
