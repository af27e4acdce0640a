#include <cmath>

#include "plaudit/data/direction_prompt.h"
#include "plaudit/eval/policy_answers.h"
#include "plaudit/run/evaluate.h"

namespace plaudit {

void evaluate_directions(const EvaluateStage& stage, RunContext& context) {
  const auto& policy = context.get<Policy>("policy");
  const auto reference = reference_of(policy, context);
  std::vector<std::unique_ptr<Judge>> judges;
  std::vector<const Judge*> known;
  for (const auto& objective : stage.objectives) {
    judges.push_back(make_judge(objective.judge, context));
    known.push_back(judges.back().get());
  }
  const auto records = load_judged_prompts(stage.prompts, known, stage.max_unjudged, context);
  const auto per_prompt = stage.sampling.per_prompt;
  const auto answer = [&](const AnswerSource& source, const std::vector<Prompt>& prompts,
                          const std::string& who) {
    auto answers = answer_prompts(source, prompts, stage.sampling, context.rng("answers"),
                                  context.progress_of("answers of the " + who));
    for (const auto& record : records) answers.extra.push_back(record.extra);
    return answers;
  };
  // Scores of each objective, averaged over each prompt's answers: [objectives][prompts].
  const auto scores = [&](const PolicyAnswers& answers) {
    std::vector<std::vector<double>> out;
    for (size_t r = 0; r < judges.size(); ++r) {
      auto means = prompt_means(judge_scores(*judges[r], answers), per_prompt);
      for (auto& mean : means) mean *= stage.objectives[r].scale;
      out.push_back(std::move(means));
    }
    return out;
  };
  const auto along = [](const std::vector<std::vector<double>>& rewards,
                        const std::vector<double>& direction) {
    std::vector<double> out(rewards[0].size(), 0);
    for (size_t r = 0; r < rewards.size(); ++r)
      for (size_t i = 0; i < out.size(); ++i) out[i] += direction[r] * rewards[r][i];
    return out;
  };

  // The reference knows nothing of directions: it answers the plain prompts once.
  const auto plain =
      scores(answer({reference.model, reference.use_adapter}, prompts_of(records), "reference"));
  const auto bootstrap = context.rng("bootstrap");
  for (size_t r = 0; r < stage.objectives.size(); ++r)
    add_metric(context.summary(), objective_name(stage.objectives[r]) + "/reference",
               eval::bootstrap_mean(plain[r], bootstrap));
  std::vector<std::vector<std::string>> rows;
  std::vector<Series> lines(stage.objectives.size());
  for (const auto angle : stage.angles) {
    const auto direction = direction_of_angle(angle);
    std::vector<Prompt> prompts;
    for (const auto& record : records) prompts.push_back(with_direction(record.prompt, direction));
    const auto steered =
        scores(answer({policy.model}, prompts, fmt::format("policy at {:g} degrees", angle)));
    std::vector<std::string> row = {fmt::format("{:g}", angle), direction_text(direction)};
    for (size_t r = 0; r < steered.size(); ++r) {
      const auto name = objective_name(stage.objectives[r]);
      const auto mean = eval::bootstrap_mean(steered[r], bootstrap);
      add_metric(context.summary(), fmt::format("{}@{:g}", name, angle), mean);
      lines[r].name = name;
      lines[r].x.push_back(angle);
      lines[r].y.push_back(mean.value);
      lines[r].low.push_back(mean.low);
      lines[r].high.push_back(mean.high);
      row.push_back(fmt::format("{:.3f} [{:.3f}, {:.3f}]", mean.value, mean.low, mean.high));
    }
    const auto gain =
        eval::bootstrap_difference(along(steered, direction), along(plain, direction), bootstrap);
    add_metric(context.summary(), fmt::format("gain@{:g}", angle), gain);
    row.push_back(fmt::format("{:.3f} [{:.3f}, {:.3f}]", gain.value, gain.low, gain.high));
    rows.push_back(std::move(row));
  }
  auto& report = context.report();
  report.heading("One policy, several directions");
  std::vector<std::string> head = {"degrees", "in the prompt"};
  for (const auto& objective : stage.objectives) head.push_back(objective_name(objective));
  head.push_back("gain in its direction over the reference");
  report.table(head, rows);
  report.line_plot({.title = "What a direction does", .x = "degrees", .y = "mean score"}, lines);
}

}  // namespace plaudit
