// VectorEnv for Python: torch.classes.plaudit.VectorEnv, which python/plaudit/env wraps. Its buffers are made
// once; Python holds views of them, so that a step copies nothing but the actions.
#include <ATen/ATen.h>
#include <torch/custom_class.h>
#include <torch/library.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plaudit/core/checks.h"
#include "plaudit/env/mujoco_render.h"
#include "plaudit/env/vector_env.h"

namespace plaudit {
namespace {

using Json = nlohmann::ordered_json;

AutoReset auto_reset_of(const std::string& name) {
  Check("env.make_vec").choice("autoreset", name, {"next_step", "same_step", "off"});
  return name == "next_step"   ? AutoReset::next_step
         : name == "same_step" ? AutoReset::same_step
                               : AutoReset::off;
}

struct PythonVectorEnv : torch::CustomClassHolder {
  PythonVectorEnv(const std::string& id, int64_t n, const std::string& autoreset, int64_t threads,
                  int64_t max_steps, bool refuse_outside, bool refuse_divergence, const std::string& task)
      : env(id, n,
            {.auto_reset = auto_reset_of(autoreset),
             .threads = threads,
             .max_steps = max_steps,
             .task = Json::parse(task),
             .refuse_outside = refuse_outside,
             .refuse_divergence = refuse_divergence}) {
    make_buffers();
  }

  // All that `other` is: states, streams of random numbers, what the last step gave.
  PythonVectorEnv(const PythonVectorEnv& other) : env(other.env) {
    make_buffers();
    const auto to = buffers(), from = other.buffers();
    for (size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
  }

  void make_buffers() {
    const auto& spec = env.spec();
    const int64_t rows = env.size(), width = spec.observation.size();
    const auto real = at::TensorOptions(at::kDouble), flag = at::TensorOptions(at::kBool);
    actions = at::zeros({rows, spec.action.size()}, real);
    observations = at::zeros({rows, width}, real);
    next_observations = at::zeros({rows, width}, real);
    rewards = at::zeros({rows}, real);
    terminated = at::zeros({rows}, flag);
    truncated = at::zeros({rows}, flag);
    valid = at::zeros({rows}, flag);
    infos = at::zeros({rows, spec.info_width()}, real);
    next_infos = at::zeros({rows, spec.info_width()}, real);
  }

  std::string spec() const {
    const auto& s = env.spec();
    const auto numbers = [](const std::vector<double>& bounds) {
      Json list = Json::array();  // infinity is null
      for (const double b : bounds) list.push_back(b);
      return list;
    };
    Json reported = Json::array();
    for (const auto& info : s.infos)
      reported.push_back({{"name", info.name}, {"size", info.size}, {"at_start", info.at_start}});
    return Json{{"id", s.id},
                {"observation", {{"low", numbers(s.observation.low)}, {"high", numbers(s.observation.high)}}},
                {"action", {{"low", numbers(s.action.low)}, {"high", numbers(s.action.high)}}},
                {"positions", s.positions},
                {"velocities", s.velocities},
                {"max_steps", s.max_steps},
                {"dt", s.dt},
                {"infos", reported},
                {"f32_observations", s.f32_observations}}
        .dump();
  }

  std::vector<Tensor> buffers() const {
    return {actions, observations, next_observations, rewards, terminated, truncated,
            valid,   infos,        next_infos};
  }

  void seed(int64_t index, int64_t value) {
    Check("env.reset")
        .that(index >= 0 && index < env.size(), "index", fmt::format("in [0, {})", env.size()), index);
    env.seed(index, static_cast<uint64_t>(value));
  }

  void reset() {
    env.reset(observations.mutable_data_ptr<double>());
    report();
  }

  void reset_some(const Tensor& which) {
    const Check check("env.reset");
    check.shape("reset_mask", which, {env.size()});
    const auto mask = which.to(at::kBool).contiguous();
    env.reset_some(mask.const_data_ptr<bool>(), observations.mutable_data_ptr<double>());
    report();
  }

  void report() {
    for (int64_t i = 0; i < env.size(); ++i)
      env.report(i, infos.mutable_data_ptr<double>() + i * env.spec().info_width());
  }

  void step() {
    env.step(actions.const_data_ptr<double>(),
             {.observations = observations.mutable_data_ptr<double>(),
              .rewards = rewards.mutable_data_ptr<double>(),
              .terminated = terminated.mutable_data_ptr<bool>(),
              .truncated = truncated.mutable_data_ptr<bool>(),
              .next_observations = next_observations.mutable_data_ptr<double>(),
              .valid = valid.mutable_data_ptr<bool>(),
              .infos = infos.mutable_data_ptr<double>(),
              .next_infos = next_infos.mutable_data_ptr<double>()});
  }

  void set_state(int64_t index, const Tensor& qpos, const Tensor& qvel) {
    const Check check("env.set_state");
    check.shape("qpos", qpos, {env.spec().positions});
    check.shape("qvel", qvel, {env.spec().velocities});
    check.that(index >= 0 && index < env.size(), "index", fmt::format("in [0, {})", env.size()), index);
    const auto q = qpos.to(at::kDouble).contiguous(), v = qvel.to(at::kDouble).contiguous();
    env.set_state(index, q.const_data_ptr<double>(), v.const_data_ptr<double>(),
                  observations.mutable_data_ptr<double>() + index * env.spec().observation.size());
  }

  std::tuple<Tensor, Tensor> get_state(int64_t index) const {
    auto qpos = at::empty({env.spec().positions}, at::kDouble),
         qvel = at::empty({env.spec().velocities}, at::kDouble);
    env.get_state(index, qpos.mutable_data_ptr<double>(), qvel.mutable_data_ptr<double>());
    return {qpos, qvel};
  }

  c10::intrusive_ptr<PythonVectorEnv> twin() const { return c10::make_intrusive<PythonVectorEnv>(*this); }

  bool has_picture() const { return plaudit::has_picture(env.environment(0)); }

  // RGB [height,width,3] u8 of one environment.
  Tensor draw(int64_t index, int64_t width, int64_t height, const std::string& camera) {
    Check("env.render")
        .that(index >= 0 && index < env.size(), "index", fmt::format("in [0, {})", env.size()), index);
    if (!renderer || width != drawn.width || height != drawn.height || camera != drawn.camera) {
      drawn = {.width = width, .height = height, .camera = camera};
      renderer.reset();
      renderer = std::make_unique<MujocoRenderer>(env.environment(0), drawn);
    }
    const auto pixels = renderer->draw(env.environment(index));
    const auto out = at::empty({height, width, 3}, at::kByte);
    std::copy(pixels.begin(), pixels.end(), out.mutable_data_ptr<uint8_t>());
    return out;
  }

  std::string divergences() const {
    Json list = Json::array();
    for (const auto& d : env.divergences())
      list.push_back({{"environment", d.environment},
                      {"seed", d.seed},
                      {"episode", d.episode},
                      {"step", d.step},
                      {"what", d.what}});
    return list.dump();
  }

  VectorEnv env;
  std::unique_ptr<MujocoRenderer> renderer;  // made for the first picture
  RenderOptions drawn;
  Tensor actions, observations, next_observations, rewards, terminated, truncated, valid, infos, next_infos;
};

// {"HalfCheetah-v5": 1000, ...}
std::string environments_json() {
  Json limits = Json::object();
  for (const auto& id : environment_ids()) limits[id] = time_limit(id);
  return limits.dump();
}

TORCH_LIBRARY_FRAGMENT(plaudit, m) {
  m.def("environments() -> str", &environments_json);
  m.class_<PythonVectorEnv>("VectorEnv")
      .def(torch::init<const std::string&, int64_t, const std::string&, int64_t, int64_t, bool, bool,
                       const std::string&>())
      .def("spec", &PythonVectorEnv::spec)
      .def("buffers", &PythonVectorEnv::buffers)
      .def("seed", &PythonVectorEnv::seed)
      .def("reset", &PythonVectorEnv::reset)
      .def("reset_some", &PythonVectorEnv::reset_some)
      .def("step", &PythonVectorEnv::step)
      .def("set_state", &PythonVectorEnv::set_state)
      .def("get_state", &PythonVectorEnv::get_state)
      .def("twin", &PythonVectorEnv::twin)
      .def("has_picture", &PythonVectorEnv::has_picture)
      .def("draw", &PythonVectorEnv::draw)
      .def("divergences", &PythonVectorEnv::divergences);
}

}  // namespace
}  // namespace plaudit
