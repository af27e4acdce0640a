#include "plaudit/env/mujoco_render.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mujoco/mujoco.h>

#include <algorithm>

#include "plaudit/core/errors.h"
#include "plaudit/env/egl_context.h"
#include "plaudit/env/mujoco_environment.h"

namespace plaudit {
namespace {

constexpr int kShadowSize = 1024;
constexpr double kFarthest = 4;  // metres, where Gymnasium stands

// MuJoCo's structures, freed with what they point to.
struct RenderScene {
  mjvScene value;
  explicit RenderScene(const mjModel& m) {
    mjv_defaultScene(&value);
    mjv_makeScene(&m, &value, static_cast<int>(m.ngeom) + 1000);  // and what decorates it
  }
  ~RenderScene() { mjv_freeScene(&value); }
  RenderScene(const RenderScene&) = delete;
  RenderScene& operator=(const RenderScene&) = delete;
};

struct RenderTarget {
  const EglContext& gl;
  mjrContext value;
  RenderTarget(const EglContext& context, const mjModel& m, int width, int height) : gl(context) {
    const EglContext::Current current(gl);
    mjr_defaultContext(&value);
    // MuJoCo's map of shadows, 4096 wide, takes a software renderer as long as all the rest.
    const std::unique_ptr<mjModel, MujocoDelete> coarse(mj_copyModel(nullptr, &m));
    coarse->vis.quality.shadowsize = std::min(m.vis.quality.shadowsize, kShadowSize);
    try {
      mjr_makeContext(coarse.get(), &value, mjFONTSCALE_100);
      mjr_resizeOffscreen(width, height, &value);
      mjr_setBuffer(mjFB_OFFSCREEN, &value);
    } catch (const BugError& error) {  // what MuJoCo says of an OpenGL that does not suffice
      refuse_no_gl(message_of(error));
    }
    if (value.currentBuffer != mjFB_OFFSCREEN) refuse_no_gl("it cannot draw off screen");
  }
  ~RenderTarget() {
    const EglContext::Current current(gl);
    mjr_freeContext(&value);
  }
  RenderTarget(const RenderTarget&) = delete;
  RenderTarget& operator=(const RenderTarget&) = delete;
};

std::vector<std::string> camera_names(const mjModel& m) {
  std::vector<std::string> names;
  for (int i = 0; i < m.ncam; ++i) {
    const auto* name = mj_id2name(&m, mjOBJ_CAMERA, i);
    if (name != nullptr) names.emplace_back(name);
  }
  return names;
}

mjvCamera choose_camera(const mjModel& m, const std::string& name, const std::string& task) {
  mjvCamera camera;
  mjv_defaultFreeCamera(&m, &camera);
  const int id = mj_name2id(&m, mjOBJ_CAMERA, name.empty() ? "track" : name.c_str());
  if (id < 0 && !name.empty()) {
    const auto names = camera_names(m);
    fail(ErrorKind::value, "camera",
         names.empty() ? fmt::format("{} has none, got '{}'", task, name)
                       : fmt::format("{} has none called '{}', but {}", task, name, fmt::join(names, ", ")));
  }
  if (id >= 0) {
    camera.type = mjCAMERA_FIXED;
    camera.fixedcamid = id;
    return camera;
  }
  const int torso = mj_name2id(&m, mjOBJ_BODY, "torso");
  if (torso >= 0) {
    camera.type = mjCAMERA_TRACKING;
    camera.trackbodyid = torso;
  } else if (camera.distance > kFarthest && m.nbody > 1) {  // of a wide floor: look at the first body instead
    mju_copy3(camera.lookat, m.body_pos + 3);
  }
  camera.distance = std::min(camera.distance, kFarthest);
  return camera;
}

MujocoModel pictured_model(const Environment& environment) {
  if (const auto view = mujoco_view(environment)) return view->model;
  fail(ErrorKind::value, "environment",
       fmt::format("{} has no picture; the MuJoCo tasks have one, e.g. HalfCheetah-v5",
                   environment.spec().id));
}

int checked_size(const char* name, int64_t size) {
  if (size < 1 || size > 4096)
    fail(ErrorKind::value, name, fmt::format("must lie in [1, 4096], got {}", size));
  return static_cast<int>(size);
}

}  // namespace

bool has_picture(const Environment& environment) {
  return mujoco_view(environment).has_value();
}

struct MujocoRenderer::Impl {
  Impl(const Environment& environment, const RenderOptions& options)
      : model(pictured_model(environment)),
        width(checked_size("width", options.width)),
        height(checked_size("height", options.height)),
        camera(choose_camera(*model, options.camera, environment.spec().id)),
        data(make_mujoco_data(model)),
        scene(*model),
        target(gl, *model, width, height) {
    mjv_defaultOption(&shown);
  }

  MujocoModel model;
  int width, height;
  mjvCamera camera;
  mjvOption shown;
  MujocoData data;  // a copy of what is drawn: MuJoCo may write to it
  EglContext gl;
  RenderScene scene;
  RenderTarget target;
};

MujocoRenderer::MujocoRenderer(const Environment& environment, const RenderOptions& options) {
  const QuietMujoco making;
  impl_ = std::make_unique<Impl>(environment, options);
}

MujocoRenderer::~MujocoRenderer() = default;

std::vector<uint8_t> MujocoRenderer::draw(const Environment& environment) {
  auto& r = *impl_;
  const auto view = mujoco_view(environment);
  if (!view || view->model != r.model)
    bug("draw", fmt::format("{} is not on the renderer's model", environment.spec().id));
  const QuietMujoco drawing;
  const EglContext::Current current(r.gl);
  mjv_copyData(r.data.get(), r.model.get(), view->data);
  mjv_updateScene(r.model.get(), r.data.get(), &r.shown, nullptr, &r.camera, mjCAT_ALL, &r.scene.value);
  const mjrRect all = {0, 0, r.width, r.height};
  mjr_render(all, &r.scene.value, &r.target.value);
  const auto row = static_cast<size_t>(3 * r.width), rows = static_cast<size_t>(r.height);
  std::vector<uint8_t> rgb(rows * row);
  mjr_readPixels(rgb.data(), nullptr, all, &r.target.value);
  for (size_t top = 0, bottom = rows - 1; top < bottom; ++top, --bottom)  // OpenGL's first row is the lowest
    std::swap_ranges(rgb.begin() + static_cast<ptrdiff_t>(top * row),
                     rgb.begin() + static_cast<ptrdiff_t>((top + 1) * row),
                     rgb.begin() + static_cast<ptrdiff_t>(bottom * row));
  return rgb;
}

}  // namespace plaudit
