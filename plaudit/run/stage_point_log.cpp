// point_log: data of the task `point` from its controller at random skills: half an hour of robot data in a
// second, for trying out offline methods.
#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/env/collect.h"
#include "plaudit/env/small_tasks.h"
#include "plaudit/run/behaviours.h"
#include "plaudit/run/control_data_artefact.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {
namespace {

struct PointLogStage {
  int64_t episodes = 400;
  double skill_low = 0, skill_high = 1;
  int64_t reference_episodes = 100;
  std::string into = "transitions";
};

}  // namespace

template <>
void describe(OptionTable<PointLogStage>& t) {
  using O = PointLogStage;
  t.field("episodes", &O::episodes, "of 50 steps", at_least(1));
  t.field("skill_low", &O::skill_low, "an episode's skill u is uniform from here", between(0, 1));
  t.field("skill_high", &O::skill_high, "to here; it acts as clip(u controller + (1-u) 1.5 U(-1,1))",
          between(0, 1));
  t.field("reference_episodes", &O::reference_episodes, "that random_return and expert_return are means of",
          at_least(1));
  t.field("into", &O::into, "name of the data");
}

namespace {

Tensor controller(const Tensor& observations, const Tensor&) {
  const auto rows = observations.to(at::kDouble).contiguous();
  auto out = at::empty({rows.size(0), 2}, at::kDouble);
  for (int64_t i = 0; i < rows.size(0); ++i)
    point_controller(rows.const_data_ptr<double>() + 4 * i, out.mutable_data_ptr<double>() + 2 * i);
  return out;
}

void run_point_log(const PointLogStage& o, RunContext& context) {
  const auto log_of = [&](const Behaviour& behaviour, int64_t episodes, const std::string& purpose) {
    return collect("point", behaviour, {.episodes = episodes}, episode_seed(context, purpose)).data;
  };
  const auto reference = [&](const Behaviour& behaviour, const std::string& purpose) {
    return episode_returns(log_of(behaviour, o.reference_episodes, purpose)).mean().item<double>();
  };
  auto data = log_of({controller, o.skill_low, o.skill_high}, o.episodes, "log");
  auto metadata = Json::parse(data.metadata);
  metadata["random_return"] = reference({}, "random");
  metadata["expert_return"] = reference({controller}, "expert");
  data.metadata = metadata.dump();
  report_control_data("data/", data, context);
  context.put(o.into, std::move(data));
}

PLAUDIT_STAGE(point_log, PointLogStage,
              {
                  .doc = "Data of the task point from its controller at random skills.",
                  .writes = [](const PointLogStage& o) { return Names{o.into}; },
                  .check =
                      [](const PointLogStage& o) {
                        if (o.skill_low > o.skill_high)
                          fail(ErrorKind::value, "skill_low",
                               fmt::format("must not exceed skill_high, {}, got {}", o.skill_high,
                                           o.skill_low));
                      },
                  .run = run_point_log,
              });

}  // namespace
}  // namespace plaudit
