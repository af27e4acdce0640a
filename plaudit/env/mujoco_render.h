// Pictures of a MuJoCo task, drawn off screen (egl_context.h).
//
//   MujocoRenderer renderer(*environment, {.width = 320, .height = 240});
//   const auto rgb = renderer.draw(*environment);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/env/environment.h"

namespace plaudit {

struct RenderOptions {
  int64_t width = 320, height = 240;  // pixels, 1 to 4096
  // Of the model. "": the one called track, which follows the centre of mass from the side; a model without
  // it is seen from where MuJoCo's viewer starts, 4 m off at most, following the body called torso.
  std::string camera = {};
};

// Whether the task has one: those of MuJoCo do.
bool has_picture(const Environment& environment);

// Not safe to share between threads; several may live side by side. Each call leaves the thread's GL context
// as it was.
class MujocoRenderer {
 public:
  // For this environment and others on the same model. UserErrors: a task without a picture, a camera that
  // the model does not have, a size out of range (value); those of EglContext (io).
  explicit MujocoRenderer(const Environment& environment, const RenderOptions& options = {});
  ~MujocoRenderer();
  MujocoRenderer(const MujocoRenderer&) = delete;
  MujocoRenderer& operator=(const MujocoRenderer&) = delete;

  // The environment as it stands, RGB [height,width,3], the top row first. Changes nothing in it.
  std::vector<uint8_t> draw(const Environment& environment);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plaudit
