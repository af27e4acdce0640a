#include "plaudit/run/control_run.h"

namespace plaudit {

ControlContext control_context(const std::string& rng, const std::string& units, RunContext& context) {
  ControlContext out{.rng = context.rng(rng)};
  if (!context.run_folder().empty()) out.folder = context.folder();
  out.progress = [&context, units](int64_t done, int64_t total) { context.progress(done, total, units); };
  out.interrupt = [&context] { return context.interrupted(); };
  return out;
}

void throw_if_unfinished(const ControlResult& result, int64_t steps, RunContext& context) {
  if (result.interrupted && result.steps < steps) context.throw_if_interrupted();
}

}  // namespace plaudit
