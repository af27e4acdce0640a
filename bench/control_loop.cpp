#include <mujoco/mujoco.h>

#include <algorithm>
#include <chrono>

#include "bench/control.h"
#include "plaudit/env/mujoco_environment.h"

namespace plaudit::bench {

double replay_bare(const std::string& task, const Recording& recording) {
  const auto* rule = find_mujoco_task(task);
  const auto model = mujoco_task_model(*rule, Contacts::searched);
  const auto data = make_mujoco_data(model);
  const auto* m = model.get();
  auto* d = data.get();
  const QuietMujoco quiet;
  const auto begin = std::chrono::steady_clock::now();
  auto start = recording.starts.begin();
  for (size_t step = 0; step < recording.steps; ++step) {
    if (start != recording.starts.end() && start->step == step) {
      mj_resetData(m, d);
      std::copy(start->qpos.begin(), start->qpos.end(), d->qpos);
      std::copy(start->qvel.begin(), start->qvel.end(), d->qvel);
      mj_forward(m, d);
      ++start;
    }
    std::copy_n(recording.actions.data() + step * m->nu, m->nu, d->ctrl);
    for (int i = 0; i < rule->frame_skip; ++i) mj_step(m, d);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace plaudit::bench
