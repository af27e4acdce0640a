// video: films an episode of a policy of control.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <regex>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/log.h"
#include "plaudit/core/webp.h"
#include "plaudit/env/mujoco_render.h"
#include "plaudit/eval/control_rollout.h"
#include "plaudit/run/behaviours.h"
#include "plaudit/run/stage_parts.h"
#include "plaudit/run/task_policy.h"

namespace plaudit {
namespace {

struct VideoStage {
  std::string policy = "control_policy", file = "video.webp";
  double seconds = 10;
  int64_t width = 320, height = 240;
  std::string camera;
  double fps = 25, quality = 75;
  bool required = true;
};

}  // namespace

template <>
void describe(OptionTable<VideoStage>& t) {
  using O = VideoStage;
  t.field("policy", &O::policy, "who acts, taking the action that it means");
  t.field("file", &O::file, "in the run folder, an animated WebP; in a repeat with the round in its name");
  t.field("seconds", &O::seconds, "of simulated time; less where the episode ends before", between(0.1, 600));
  t.field("width", &O::width, "of the picture in pixels, even", between(16, 1280));
  t.field("height", &O::height, "of the picture in pixels, even", between(16, 1280));
  t.field("camera", &O::camera, "of the task's model; empty: the one that follows, or MuJoCo's own view");
  t.field("fps", &O::fps, "pictures a second, as near as whole steps of the task come", between(0.1, 1000));
  t.field("quality", &O::quality, "of the pictures: 0 small files, 100 near the original", between(0, 100));
  t.field(
      "required", &O::required,
      "false: where nothing can be drawn (no OpenGL, a task without a picture) the report says so and the "
      "run goes on");
}

namespace {

void check_video(const VideoStage& o) {
  static const std::regex plain("[A-Za-z0-9_][A-Za-z0-9_.-]*[.]webp");
  if (!std::regex_match(o.file, plain))
    fail(ErrorKind::value, "file",
         "must be a name of letters, digits, '_', '-' and '.' that ends in .webp, got '" + o.file + "'");
  if (o.width % 2 != 0) fail(ErrorKind::value, "width", fmt::format("must be even, got {}", o.width));
  if (o.height % 2 != 0) fail(ErrorKind::value, "height", fmt::format("must be even, got {}", o.height));
}

// Rounds of a repeat must not replace each other's films.
std::string film_name(const std::string& file, int64_t round) {
  return round == 0 ? file : fmt::format("{}-{}.webp", file.substr(0, file.rfind('.')), round);
}

// Null, and the report says why, where nothing can be drawn and the recipe allows for it. A wrong camera is a
// mistake all the same.
std::unique_ptr<MujocoRenderer> make_renderer(const VideoStage& o, const Environment& environment,
                                              RunContext& context) {
  try {
    return std::make_unique<MujocoRenderer>(
        environment, RenderOptions{.width = o.width, .height = o.height, .camera = o.camera});
  } catch (const UserError& error) {
    const bool cannot_draw = error.kind() == ErrorKind::io || !has_picture(environment);
    if (o.required || !cannot_draw) throw;
    const auto why = "No video. " + message_of(error);
    context.report().paragraph(why);
    warn(why);
    return nullptr;
  }
}

void run_video(const VideoStage& o, RunContext& context) {
  if (context.run_folder().empty())
    fail(ErrorKind::value, "video", "needs the folder of a run for its file; a claim has none");
  if (context.ranks().rank() != 0) return;
  const auto& policy = context.get<TaskPolicy>(o.policy);
  const auto environment = make_environment(policy.environment);
  const double dt = environment->spec().dt;
  const auto renderer = make_renderer(o, *environment, context);
  if (renderer == nullptr) return;

  const auto every = std::max<int64_t>(1, std::llround(1 / (o.fps * dt)));
  const auto steps = std::max<int64_t>(1, std::llround(o.seconds / dt));
  WebpAnimation film(o.width, o.height, o.quality);
  const auto progress = context.progress_of("steps filmed");
  const auto played = watched_return(policy.environment, policy.actor, episode_seed(context, "video"),
                                     [&](int64_t step, const Environment& now) {
                                       progress(step, steps);
                                       if (step == steps) return false;
                                       if (step % every == 0)
                                         film.add(renderer->draw(now), static_cast<double>(step) * dt);
                                       return true;
                                     });
  const auto length = played.lengths[0];
  const double seconds = static_cast<double>(length) * dt;
  const auto name = film_name(o.file, context.round()), path = context.run_folder() + "/" + name;
  write_file_atomic(path, film.finish(seconds));

  const auto what = fmt::format("{}: {} steps, {:.1f} s, return {:.1f}", policy.environment, length, seconds,
                                played.returns[0]);
  auto& report = context.report();
  report.heading("An episode of " + o.policy);
  report.picture(name, what);
  report.paragraph(what + ".");
  say(fmt::format("wrote {}: {}", path, what));
}

PLAUDIT_STAGE(video, VideoStage,
              {
                  .doc = "Films an episode of a policy of control in a MuJoCo task, for the report.",
                  .reads = [](const VideoStage& o) { return Names{o.policy}; },
                  .check = check_video,
                  .run = run_video,
              });

}  // namespace
}  // namespace plaudit
