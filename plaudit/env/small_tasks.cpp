#include "plaudit/env/small_tasks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

double symmetric(Rng& rng, double bound) {
  return bound * (2 * rng.uniform() - 1);
}

// A task whose state is a few numbers: N positions, N velocities.
template <size_t N, class Task>
class SmallTask : public Environment {
 public:
  void get_state(double* qpos, double* qvel) const override {
    std::copy_n(qpos_.data(), N, qpos);
    std::copy_n(qvel_.data(), N, qvel);
  }
  void set_state(const double* qpos, const double* qvel) override {
    std::copy_n(qpos, N, qpos_.data());
    std::copy_n(qvel, N, qvel_.data());
  }
  std::unique_ptr<Environment> another() const override { return std::make_unique<Task>(); }
  void copy_from(const Environment& other) override {
    const auto* same = dynamic_cast<const Task*>(&other);
    if (same == nullptr) bug("copy_from", spec().id + " cannot continue " + other.spec().id);
    set_state(same->qpos_.data(), same->qvel_.data());
  }

 protected:
  std::array<double, N> qpos_{}, qvel_{};
};

class Pendulum final : public SmallTask<1, Pendulum> {
  friend SmallTask<1, Pendulum>;

 public:
  const EnvironmentSpec& spec() const override {
    static const EnvironmentSpec spec = {.id = "Pendulum-v1",
                                         .observation = {{-1, -1, -8}, {1, 1, 8}},
                                         .action = Box::symmetric(1, 2),
                                         .positions = 1,
                                         .velocities = 1,
                                         .max_steps = 200,
                                         .dt = 0.05,
                                         .f32_observations = true};
    return spec;
  }
  void reset(Rng& rng) override {
    qpos_[0] = symmetric(rng, std::numbers::pi);
    qvel_[0] = symmetric(rng, 1);
  }
  Outcome step(const double* action) override {
    const double torque = std::clamp(action[0], -2.0, 2.0), angle = qpos_[0], speed = qvel_[0];
    const double pi = std::numbers::pi, shifted = angle + pi;
    const double wrapped = shifted - 2 * pi * std::floor(shifted / (2 * pi)) - pi;
    const double reward = -(wrapped * wrapped + 0.1 * speed * speed + 0.001 * torque * torque);
    qvel_[0] = std::clamp(speed + (15 * std::sin(angle) + 3 * torque) * 0.05, -8.0, 8.0);
    qpos_[0] = angle + qvel_[0] * 0.05;
    return {reward, false};
  }
  void observe(double* observation) const override {
    observation[0] = std::cos(qpos_[0]);
    observation[1] = std::sin(qpos_[0]);
    observation[2] = qvel_[0];
  }
};

constexpr double kGoal = 0.6;  // in both coordinates

class Point final : public SmallTask<2, Point> {
  friend SmallTask<2, Point>;

 public:
  const EnvironmentSpec& spec() const override {
    static const EnvironmentSpec spec = {.id = "point",
                                         .observation = Box::symmetric(4, 1),
                                         .action = Box::symmetric(2, 1),
                                         .positions = 2,
                                         .velocities = 2,
                                         .max_steps = 50,
                                         .dt = 0.1};
    return spec;
  }
  void reset(Rng& rng) override {
    for (auto& p : qpos_) p = symmetric(rng, 1);
    qvel_ = {};
  }
  Outcome step(const double* action) override {
    double square = 0;
    for (size_t i = 0; i < 2; ++i) {
      qvel_[i] = 0.8 * qvel_[i] + 0.2 * action[i];
      qpos_[i] = std::clamp(qpos_[i] + 0.1 * qvel_[i], -1.0, 1.0);
      square += (qpos_[i] - kGoal) * (qpos_[i] - kGoal);
    }
    return {-std::sqrt(square), false};
  }
  void observe(double* observation) const override {
    std::copy_n(qpos_.data(), 2, observation);
    std::copy_n(qvel_.data(), 2, observation + 2);
  }
};

}  // namespace

std::unique_ptr<Environment> make_pendulum() {
  return std::make_unique<Pendulum>();
}

std::unique_ptr<Environment> make_point() {
  return std::make_unique<Point>();
}

void point_controller(const double* observation, double* action) {
  for (int i = 0; i < 2; ++i)
    action[i] = std::clamp(6 * (kGoal - observation[i]) - 1.5 * observation[2 + i], -1.0, 1.0);
}

}  // namespace plaudit
