// An environment that writes down what is done in it: whoever trains there leaves a log of transitions
// behind, with the states (infos qpos and qvel, f64) that each began in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/data/control_data.h"
#include "plaudit/env/environment.h"

namespace plaudit {

class RecordedEnvironment : public Environment {
 public:
  // `path`: a file of rows, so that a run that resumes has those of before; "": in memory.
  explicit RecordedEnvironment(std::unique_ptr<Environment> inner, std::string path = "");

  const EnvironmentSpec& spec() const override { return inner_->spec(); }
  void reset(Rng& rng) override;
  Outcome step(const double* action) override;
  void observe(double* observation) const override { inner_->observe(observation); }
  void report(double* infos) const override { inner_->report(infos); }
  void get_state(double* qpos, double* qvel) const override { inner_->get_state(qpos, qvel); }
  void set_state(const double* qpos, const double* qvel) override;
  std::unique_ptr<Environment> another() const override { return inner_->another(); }  // which writes nothing
  void copy_from(const Environment& other) override { inner_->copy_from(other); }

  // Between episodes: all that was done so far is `total` steps, those of earlier processes counted. What the
  // file holds beyond is of a run that was killed after its last checkpoint, and goes. UserError (io).
  void flush(int64_t total);
  // The first `rows` steps, of all processes; after flush. The last episode may be cut. UserErrors: io; those
  // of checked_control_data.
  ControlData log(int64_t rows) const;

 private:
  int64_t states() const;  // numbers of qpos and qvel
  int64_t width() const;
  void end_episode();
  void look();  // what the next step begins with

  std::unique_ptr<Environment> inner_;
  std::string path_;
  std::vector<double> observation_, state_;
  // Observation, action, reward, next observation, terminal, end; qpos and qvel before the step, in f64: two
  // places each.
  std::vector<float> rows_;
  int64_t unsaved_ = 0;  // rows since the last flush
  bool flushed_ = false, running_ = false;
};

}  // namespace plaudit
