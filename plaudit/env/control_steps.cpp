#include "plaudit/env/control_steps.h"

#include <ATen/ATen.h>

#include <array>
#include <numbers>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

struct Locomotion {
  const char* name;
  int64_t coordinates, actions;
  double dt;            // of a control step, seconds
  double control_cost;  // per squared action
  bool can_fall;
};
constexpr std::array<Locomotion, 3> kLocomotion = {{{"halfcheetah", 9, 6, 0.05, 0.1, false},
                                                    {"hopper", 6, 3, 0.008, 1e-3, true},
                                                    {"walker2d", 9, 6, 0.008, 1e-3, true}}};

const Locomotion& find_env(const Check& check, const std::string& name) {
  check.choice("env", name, {"halfcheetah", "hopper", "walker2d"});
  for (const auto& env : kLocomotion) {
    if (name == env.name) return env;
  }
  bug("env.control_steps", "an environment without a rule: " + name);
}

Tensor inside(const Tensor& x, double low, double high) {
  return (x > low).logical_and(x < high);
}

// Health from observations [B,D] (height, angle, ...) and the same with unclipped velocities; comparisons
// with NaN are false.
Tensor healthy(const Locomotion& env, const Tensor& o) {
  const auto height = o.select(1, 0), angle = o.select(1, 1);
  if (env.name == std::string_view("walker2d"))
    return inside(height, 0.8, 2).logical_and(inside(angle, -1, 1));
  // Gymnasium's hopper bounds everything after the height.
  const auto state = inside(o.slice(1, 1), -100, 100).all(1).logical_and(at::isfinite(height));
  return state.logical_and(height > 0.7).logical_and(inside(angle, -0.2, 0.2));
}

}  // namespace

LocomotionTransition locomotion_transition(double x_before, const Tensor& qpos, const Tensor& qvel,
                                           const Tensor& action, const std::string& env,
                                           const std::string& version) {
  const Check check("eval.locomotion_transition");
  check_not_empty(check, {{"qpos", qpos, ""}, {"qvel", qvel, ""}, {"action", action, ""}});
  check_sizes(check, {{"qpos", qpos, "P"}, {"qvel", qvel, "P"}, {"action", action, "A"}});
  const auto& rule = find_env(check, env);
  check.shape("qpos", qpos, {rule.coordinates});
  check.shape("action", action, {rule.actions});
  if (!std::isfinite(x_before)) check.refuse(ErrorKind::nan, "x_before", "is NaN or infinite");
  check_finite(check, {{"qpos", qpos, "P"}, {"qvel", qvel, "P"}, {"action", action, "A"}});
  check.choice("version", version, {"v4", "v5"});

  const auto q = as_real(qpos), v = as_real(qvel), a = as_real(action);
  const auto state = at::cat({q.slice(0, 1), v});
  const auto well = rule.can_fall ? healthy(rule, state.unsqueeze(0)).squeeze(0)
                                  : at::scalar_tensor(true, q.options().dtype(at::kBool));
  auto reward = (q[0] - x_before) / rule.dt - rule.control_cost * a.square().sum();
  if (rule.can_fall) reward = reward + (version == "v4" ? at::ones_like(reward) : well.to(reward.dtype()));
  const auto velocities = rule.can_fall ? v.clamp(-10, 10) : v;
  return {reward, well.logical_not(), at::cat({q.slice(0, 1), velocities})};
}

Tensor termination(const Tensor& next_observations, const std::string& env) {
  const Check check("offline.termination");
  check_not_empty(check, {{"next_observations", next_observations, "BD"}});
  check_sizes(check, {{"next_observations", next_observations, "BD"}});
  const auto& rule = find_env(check, env);
  if (!rule.can_fall)
    return at::zeros({next_observations.size(0)}, next_observations.options().dtype(at::kBool));
  if (next_observations.size(1) < 2)
    check.refuse(ErrorKind::shape, "next_observations",
                 fmt::format("must hold height and angle, got {}", shape_of(next_observations)));
  return healthy(rule, as_real(next_observations)).logical_not();
}

PendulumStep pendulum_step(const Tensor& theta, const Tensor& omega, const Tensor& torque) {
  const Check check("eval.pendulum_step");
  check_arguments(check, {{"theta", theta, "B"}, {"omega", omega, "B"}, {"torque", torque, "B"}});
  const auto angle = as_real(theta), speed = as_real(omega), u = as_real(torque).clamp(-2, 2);
  const double pi = std::numbers::pi;
  const auto wrapped = at::remainder(angle + pi, 2 * pi) - pi;
  const auto rewards = -(wrapped.square() + 0.1 * speed.square() + 0.001 * u.square());
  const auto next_speed = (speed + (15 * angle.sin() + 3 * u) * 0.05).clamp(-8, 8);
  const auto next = angle + 0.05 * next_speed;
  return {next, next_speed, rewards, at::stack({next.cos(), next.sin(), next_speed}, 1)};
}

Tensor edge_of_reach_mask(const Tensor& state_ids, const Tensor& next_ids) {
  const Check check("offline.edge_of_reach_mask");
  check_elementwise(check, {{"state_ids", state_ids}});
  check_elementwise(check, {{"next_ids", next_ids}});
  return at::isin(next_ids, state_ids).logical_not();
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def(
      "locomotion_transition(float x_before, Tensor qpos, Tensor qvel, Tensor action, str env, str "
      "version='v5') -> "
      "(Tensor reward, Tensor terminated, Tensor observation)",
      [](double x_before, const Tensor& qpos, const Tensor& qvel, const Tensor& action,
         const std::string& env, const std::string& version) {
        return as_tuple(locomotion_transition(x_before, qpos, qvel, action, env, version));
      },
      "Reward, end and observation of a locomotion step.", {"05"});
  m.def(
      "pendulum_step(Tensor theta, Tensor omega, Tensor torque) -> (Tensor theta, Tensor omega, Tensor "
      "rewards, "
      "Tensor observations)",
      [](const Tensor& theta, const Tensor& omega, const Tensor& torque) {
        return as_tuple(pendulum_step(theta, omega, torque));
      },
      "A step of the pendulum.", {"46", "06"});
}

PLAUDIT_FUNCTIONS(offline, m) {
  m.def("termination(Tensor next_observations, str env) -> (Tensor terminals)", &termination,
        "Which predicted observations end a locomotion episode.", {"35", "49"});
  m.def("edge_of_reach_mask(Tensor state_ids, Tensor next_ids) -> (Tensor edge)", &edge_of_reach_mask,
        "Next states that never occur as states.", {"35"});
}

}  // namespace plaudit
