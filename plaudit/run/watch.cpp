#include "plaudit/run/watch.h"

#include <numeric>

#include "plaudit/eval/policy_answers.h"

namespace plaudit {
namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

template <>
void describe(OptionTable<WatchOptions>& t) {
  t.include(&WatchOptions::prompts);
  t.include(&WatchOptions::judge);
  t.field("max_unjudged", &WatchOptions::max_unjudged,
          "share of the prompts whose records the judge cannot use, above which the stage is refused before "
          "any work",
          between(0, 1));
  t.include(&WatchOptions::sampling);
}

Watch::Watch(const WatchOptions& options, const Policy& policy,
             std::shared_ptr<const RewardModel> reward_model, RunContext& context)
    : options_(options),
      policy_(policy),
      reward_model_(std::move(reward_model)),
      judge_(make_judge(options.judge, context)),
      reference_(reference_of(policy, context)),
      records_(load_judged_prompts(options.prompts, {judge_.get()}, options.max_unjudged, context)),
      rng_(context.rng("watch")) {}

Json Watch::point(int64_t step, const LanguageModel& model, bool use_adapter) {
  auto answers = answer_prompts({model, use_adapter}, prompts_of(records_), options_.sampling, rng_);
  for (const auto& record : records_)
    answers.extra.push_back(record.extra);  // what a verifier checks against
  Json out = {{"step", step}, {"watch/judge", mean(judge_scores(*judge_, answers))}};
  if (reward_model_) {
    RewardModelJudge proxy(reward_model_);
    out["watch/reward"] = mean(judge_scores(proxy, answers));
  }
  out["watch/kl"] = step == 0
                        ? 0.0
                        : mean(sequence_log_ratios(policy_.model, reference_.model, reference_.use_adapter,
                                                   answers, kl_temperature(options_.sampling)));
  return out;
}

std::map<std::string, double> Watch::measure(int64_t step) {
  if (points_.empty()) points_.push_back(point(0, reference_.model, reference_.use_adapter));
  points_.push_back(point(step, policy_.model, true));
  std::map<std::string, double> out;
  for (const auto& [name, value] : points_.back().items())
    if (name != "step") out[name] = value.get<double>();
  return out;
}

void Watch::report(Report& report) const {
  if (points_.empty()) return;
  const auto series = [&](const std::string& key, const std::string& name) {
    Series out;
    out.name = name;
    for (const auto& point : points_) {
      out.x.push_back(point.at("step").get<double>());
      out.y.push_back(point.at(key).get<double>());
    }
    return out;
  };
  std::vector<Series> scores = {series("watch/judge", "judge (" + judge_->name() + ")")};
  if (reward_model_) scores.push_back(series("watch/reward", "reward model"));
  report.line_plot({.title = "Scores on prompts that are not trained on", .x = "update", .y = "mean score"},
                   scores);
  report.line_plot({.title = "Distance from the reference", .x = "update", .y = "KL, nats per answer"},
                   {series("watch/kl", "KL")});
}

}  // namespace plaudit
