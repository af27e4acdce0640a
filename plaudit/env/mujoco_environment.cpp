#include "plaudit/env/mujoco_environment.h"

#include <fmt/format.h>
#include <mujoco/mujoco.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "plaudit/core/errors.h"
#include "plaudit/env/mujoco_models.h"
#include "plaudit/env/mujoco_rules.h"

namespace plaudit {
namespace {

// An ObservationPart with its place in memory: the arrays of mjData stay where they are as long as it lives.
struct Reading {
  const double* from;
  const double* less;  // null: nothing is subtracted
  int count;
  Range clip;
  Transform transform;
};

struct Array {
  const double* data;
  int size;
};

Array array_of(Source source, const mjModel& m, const mjData& d) {
  const auto bodies = static_cast<int>(m.nbody), dofs = static_cast<int>(m.nv);
  switch (source) {
    case Source::qpos:
      return {d.qpos, static_cast<int>(m.nq)};
    case Source::qvel:
      return {d.qvel, dofs};
    case Source::cinert:
      return {d.cinert, 10 * bodies};
    case Source::cvel:
      return {d.cvel, 6 * bodies};
    case Source::qfrc_actuator:
      return {d.qfrc_actuator, dofs};
    case Source::qfrc_constraint:
      return {d.qfrc_constraint, dofs};
    case Source::cfrc_ext:
      return {d.cfrc_ext, 6 * bodies};
    case Source::xpos:
      break;
  }
  return {d.xpos, 3};  // of one body
}

const double* body_position(const mjModel& m, const mjData& d, std::string_view body) {
  const int id = mj_name2id(&m, mjOBJ_BODY, std::string(body).c_str());
  if (id < 0) fail(ErrorKind::value, "model", fmt::format("has no body '{}'", body));
  return d.xpos + 3 * id;
}

Reading locate(const ObservationPart& part, const mjModel& m, const mjData& d) {
  auto [from, size] = array_of(part.source, m, d);
  if (!part.body.empty()) from = body_position(m, d, part.body);
  const auto* less = part.less.empty() ? nullptr : body_position(m, d, part.less);
  const int last = part.last < 0 ? size : part.last;
  if (part.first > last || last > size)
    fail(ErrorKind::value, "model",
         fmt::format("needs at least {} numbers in an array of mjData that the observation reads, has {}",
                     std::max(part.first, last), size));
  return {from + part.first, less, last - part.first, part.clip, part.transform};
}

double* write(const Reading& reading, double* out) {
  for (int i = 0; i < reading.count; ++i) {
    double x = reading.from[i];
    if (reading.less != nullptr) x -= reading.less[i];
    if (reading.transform == Transform::sine) x = std::sin(x);
    if (reading.transform == Transform::cosine) x = std::cos(x);
    *out++ = std::clamp(x, reading.clip.low, reading.clip.high);
  }
  return out;
}

// Gymnasium's action spaces are f32: a bound of 0.4 is the f32 nearest to it, so that its own samples fit.
Box action_box(const mjModel& m) {
  Box box;
  for (int i = 0; i < m.nu; ++i) {
    box.low.push_back(static_cast<float>(m.actuator_ctrlrange[2 * i]));
    box.high.push_back(static_cast<float>(m.actuator_ctrlrange[2 * i + 1]));
  }
  return box;
}

class MujocoEnvironment : public Environment {
 public:
  MujocoEnvironment(MujocoTask task, MujocoModel model)
      : task_(std::move(task)), model_(std::move(model)), data_(make_mujoco_data(model_)) {
    find_main_body();
    check_model();
    int observations = 0;
    for (const auto& part : task_.observation) {
      readings_.push_back(locate(part, *model_, *data_));
      observations += readings_.back().count;
    }
    spec_ = {.id = fmt::format("{}-v{}", task_.name, task_.version),
             .observation = Box::unbounded(observations),
             .action = action_box(*model_),
             .positions = static_cast<int64_t>(model_->nq),
             .velocities = static_cast<int64_t>(model_->nv),
             .max_steps = task_.max_steps,
             .dt = model_->opt.timestep * task_.frame_skip};
    for (const auto& info : task_.infos)
      spec_.infos.push_back(
          {std::string(info.name), info.of_tendons ? int64_t{model_->ntendon} : -1, info.at_start});
    before_.resize(task_.reward_before_step ? static_cast<size_t>(spec_.info_width()) : 0);
    qpos_.resize(model_->nq);
    qvel_.resize(model_->nv);
    start_.assign(data_->qpos, data_->qpos + model_->nq);
    set_state(start_.data(), qvel_.data());
  }

  const EnvironmentSpec& spec() const override { return spec_; }
  MujocoView mujoco() const { return {model_, data_.get()}; }

  void reset(Rng& rng) override {
    for (size_t i = 0; i < qpos_.size(); ++i)
      qpos_[i] = start_[i] + task_.position_noise * (2 * rng.uniform() - 1);
    for (auto& v : qvel_)
      v = task_.velocity_noise * (task_.normal_velocity ? rng.normal() : 2 * rng.uniform() - 1);
    if (task_.place != nullptr) task_.place(rng, qpos_, qvel_);
    set_state(qpos_.data(), qvel_.data());
  }

  Outcome step(const double* action) override {
    const QuietMujoco quiet;
    auto& d = *data_;
    const auto before = progress_of(task_, *model_, d);
    Outcome out;
    last_ = {.stepped = true};
    std::copy_n(action, model_->nu, d.ctrl);
    if (task_.reward_before_step) {
      out.reward = task_.reward(view());
      write_infos(before_.data());
    }
    for (int i = 0; i < task_.frame_skip; ++i) mj_step(model_.get(), &d);
    if (task_.contact_forces) mj_rnePostConstraint(model_.get(), &d);
    const bool healthy = task_.healthy == nullptr || task_.healthy(task_, *model_, d);
    out.terminated = !healthy && task_.ends_unhealthy;
    if (!task_.reward_before_step) {
      last_.place = progress_of(task_, *model_, d);
      last_.velocity = {(last_.place.x - before.x) / spec_.dt, (last_.place.y - before.y) / spec_.dt};
      last_.alive = healthy || (task_.version == 4 && task_.ends_unhealthy);
      out.reward = task_.reward(view());
    }
    out.diverged = what_broke(out.reward);
    return out;
  }

  void observe(double* observation) const override {
    for (const auto& reading : readings_) observation = write(reading, observation);
  }

  void report(double* infos) const override {
    if (last_.stepped && task_.reward_before_step)
      std::ranges::copy(before_, infos);
    else
      write_infos(infos);
  }

  void get_state(double* qpos, double* qvel) const override {
    std::copy_n(data_->qpos, model_->nq, qpos);
    std::copy_n(data_->qvel, model_->nv, qvel);
  }

  void set_state(const double* qpos, const double* qvel) override {
    const QuietMujoco quiet;
    mj_resetData(model_.get(), data_.get());  // the warm start, too
    std::copy_n(qpos, model_->nq, data_->qpos);
    std::copy_n(qvel, model_->nv, data_->qvel);
    mj_forward(model_.get(), data_.get());
    last_ = {};
  }

  std::unique_ptr<Environment> another() const override {
    return std::make_unique<MujocoEnvironment>(task_, model_);
  }

  void copy_from(const Environment& other) override {
    const auto* same = dynamic_cast<const MujocoEnvironment*>(&other);
    if (same == nullptr || same->model_ != model_)
      bug("copy_from", fmt::format("{} cannot continue {}", spec_.id, other.spec().id));
    mj_copyData(data_.get(), model_.get(), same->data_.get());
    last_ = same->last_;
    before_ = same->before_;
  }

 private:
  void find_main_body() {
    const auto& name = task_.main_body_name;
    if (!name.empty()) task_.main_body = mj_name2id(model_.get(), mjOBJ_BODY, name.c_str());
    if (task_.main_body >= 0 && task_.main_body < model_->nbody) return;
    const auto got = name.empty() ? std::to_string(task_.main_body) : "'" + name + "'";
    fail(ErrorKind::value, "env.make",
         fmt::format("main_body must be a body of the model or a number below {}, got {}", model_->nbody,
                     got));
  }

  // A model of one's own may lack what the task's rules read.
  void check_model() const {
    const auto needs = [this](const char* what, int64_t least, int64_t has) {
      if (has < least)
        fail(ErrorKind::value, "model",
             fmt::format("needs at least {} {} for {}-v{}, has {}", least, what, task_.name, task_.version,
                         has));
    };
    needs("positions", task_.least_positions, model_->nq);
    needs("velocities", task_.least_velocities, model_->nv);
    needs("sites", task_.least_sites, model_->nsite);
    needs("actuators", 1, model_->nu);
  }

  // The actuators keep the action as it was given.
  StepView view() const {
    return {task_, *model_, *data_, data_->ctrl, last_.place, last_.velocity, last_.alive};
  }

  void write_infos(double* out) const {
    const auto seen = view();
    for (const auto& info : task_.infos)
      for (int i = 0, n = info.of_tendons ? static_cast<int>(model_->ntendon) : 1; i < n; ++i)
        *out++ = last_.stepped || info.at_start ? info.value(seen, i) : 0;
  }

  // MuJoCo starts a simulation afresh when it meets a number that is not finite or huge, and counts a
  // warning.
  const char* what_broke(double reward) const {
    const auto count = [this](int warning) { return data_->warning[warning].number; };
    if (count(mjWARN_BADQPOS) > 0) return "a position that is not finite or huge";
    if (count(mjWARN_BADQVEL) > 0) return "a velocity that is not finite or huge";
    if (count(mjWARN_BADQACC) > 0) return "an acceleration that is not finite or huge";
    return std::isfinite(reward) ? nullptr : "a reward that is not finite";
  }

  // What the last step was; not stepped: a start.
  struct Last {
    bool stepped = false, alive = true;
    GroundPoint place = {}, velocity = {};
  };

  MujocoTask task_;
  MujocoModel model_;
  MujocoData data_;
  EnvironmentSpec spec_;
  std::vector<Reading> readings_;
  std::vector<double> start_, qpos_, qvel_;  // the model's own start; scratch
  Last last_;
  std::vector<double> before_;  // infos of the state that the last step began in, where they are those
};

// A file of one's own begins so; others are Gymnasium's.
bool is_path(const std::string& model) {
  return model.starts_with("/") || model.starts_with(".");
}

MujocoModel load(const MujocoTask& task, Contacts contacts) {
  if (is_path(task.model)) return load_mujoco_model(task.model, contacts);
  const auto folder = gymnasium_models();
  if (!folder.empty()) return load_mujoco_model(folder + "/" + task.model, contacts);
  const auto xml = own_mujoco_model(task.model);
  if (xml.empty())
    fail(ErrorKind::io, fmt::format("{}-v{}", task.name, task.version),
         "needs the model " + task.model + " of the Python package gymnasium (pip install gymnasium==1.4.0)");
  return parse_mujoco_model(xml, task.model, contacts);
}

}  // namespace

MujocoModel mujoco_task_model(const MujocoTask& task, Contacts contacts) {
  // It may be edited, or include files that are.
  if (is_path(task.model)) return load(task, contacts);
  static std::mutex mutex;
  static std::map<std::pair<std::string, Contacts>, std::weak_ptr<const mjModel>> loaded;
  const std::lock_guard lock(mutex);
  auto& slot = loaded[{gymnasium_models() + "/" + task.model, contacts}];
  auto model = slot.lock();
  if (model == nullptr) slot = model = load(task, contacts);
  return model;
}

std::unique_ptr<Environment> make_mujoco_environment(const MujocoTask& task, MujocoModel model) {
  return std::make_unique<MujocoEnvironment>(task, std::move(model));
}

std::optional<MujocoView> mujoco_view(const Environment& environment) {
  const auto* own = dynamic_cast<const MujocoEnvironment*>(&environment);
  if (own == nullptr) return std::nullopt;
  return own->mujoco();
}

}  // namespace plaudit
