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

void ControlCurves::follow(ControlContext& around, RunContext& context) {
  around.report = [this, &context](int64_t step, const ControlMetrics& metrics) {
    context.log(step, metrics);
    for (const auto& [name, value] : metrics) {
      auto& curve = curves_[name];
      curve.name = name;
      curve.x.push_back(static_cast<double>(step));
      curve.y.push_back(value);
    }
  };
  around.save_state = [this] {
    Json out = Json::object();
    for (const auto& [name, curve] : curves_) out[name] = {curve.x, curve.y};
    return out;
  };
  around.load_state = [this](const Json& saved) {
    for (const auto& [name, columns] : saved.items())
      curves_[name] = {.name = name,
                       .x = columns[0].get<std::vector<double>>(),
                       .y = columns[1].get<std::vector<double>>()};
  };
}

void ControlCurves::plot(Report& report, const std::string& title, const std::string& units,
                         const std::vector<std::string>& names, const std::string& x) const {
  std::vector<Series> found;
  for (const auto& name : names) {
    const auto it = curves_.find(name);
    if (it == curves_.end()) continue;
    found.push_back(it->second);
    if (!x.empty()) found.back().x = curves_.at(x).y;
  }
  if (!found.empty()) report.line_plot({.title = title, .x = units, .y = names.front()}, found);
}

}  // namespace plaudit
