// Directional preference alignment on sentilang: one policy per direction between sentiment and verbosity,
// tuned on the best of its own answers in that direction, again and again.
#include <ATen/ATen.h>

#include "plaudit/claim/sentilang_measures.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/eval/correlation.h"
#include "plaudit/eval/pareto.h"
#include "plaudit/reward/directional.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct DirectionalOptions {
  std::string from = "reference";
  std::vector<double> angles = {0, -5, -10, -15, -20, -25, -30, -35, -40, -45};
  bool scalar = false;
  int64_t iterations = 2, prompts = 200, samples = 16, measured_prompts = 1500;
  TableTraining training = {.steps = 60, .batch = 64, .learning_rate = 0.03, .draw = "replacement"};
};

}  // namespace

template <>
void describe(OptionTable<DirectionalOptions>& t) {
  using O = DirectionalOptions;
  t.field("from", &O::from, "the policy that all start from");
  t.field("angles", &O::angles, "of the directions, in degrees; 0 is sentiment alone", between(-90, 90));
  t.field("scalar", &O::scalar, "the baseline: every direction is trained as the first");
  t.field("iterations", &O::iterations, "how often", at_least(1));
  t.field("prompts", &O::prompts, "of a direction in an iteration", at_least(1));
  t.field("samples", &O::samples, "answers to each prompt, the best is learnt", at_least(1));
  t.field("measured_prompts", &O::measured_prompts, "answers behind the measures", at_least(1));
  t.include(&O::training);
}

namespace {

// Sentiment and verbosity of each line, both on 0..100, [N,2].
at::Tensor objectives_of(const SentilangLines& lines) {
  return at::stack(
      {100 * gold_rewards(lines), 100 * lines.words().to(at::kDouble) / sentilang::answer_length}, 1);
}

// The best answer to each prompt in one direction.
SentilangLines winners(const DirectionalOptions& o, const at::Tensor& log_probs, const at::Tensor& direction,
                       Rng rng) {
  const auto prompts = sentilang_prompts(o.prompts, rng).repeat_interleave(o.samples, 0);
  const auto lines = sample_answers(log_probs, prompts, rng);
  const auto rewards = objectives_of(lines).view({o.prompts, o.samples, 2});
  const auto best = directional_best_of_n(rewards, direction.expand({o.prompts, 2})).index;
  return lines.pick(at::arange(o.prompts, at::kLong) * o.samples + best);
}

void learn_directions(const DirectionalOptions& o, const NgramPolicy& policy, const SentilangLines& lines,
                      const Rng& rng) {
  train_table("directional", policy.parameters(), lines.size(), o.training, rng,
              [&](const std::vector<int64_t>& examples) {
                const auto batch = lines.pick(index_tensor(examples));
                return StepLoss{
                    -answer_values(policy.log_probs(), batch).sum(), batch.lengths.sum().item<double>(), {}};
              });
}

at::Tensor point_of(const DirectionalOptions& o, const at::Tensor& log_probs, Rng rng) {
  return objectives_of(sample_answers(log_probs, sentilang_prompts(o.measured_prompts, rng), rng)).mean(0);
}

void report_front(const at::Tensor& angles, const at::Tensor& directions, const at::Tensor& points,
                  const at::Tensor& start, int64_t iteration, RunContext& context) {
  auto& summary = context.summary();
  // The plain name is that of the last iteration.
  const auto put = [&](const char* name, const at::Tensor& value) {
    summary.metric(fmt::format("{}@{}", name, iteration), value.item<double>());
    summary.metric(name, value.item<double>());
  };
  const auto brevity = at::stack({points.select(1, 0), 100 - points.select(1, 1)}, 1);
  const auto verbosity = points.select(1, 1);
  put("hypervolume", hypervolume2d(brevity, at::zeros({2}, at::kDouble)) / 1e4);
  put("spearman", spearman(angles, verbosity));
  put("span", verbosity[0] - verbosity[-1]);
  put("least_gain", ((points - start) * directions).sum(1).min());
  for (int64_t k = 0; k < angles.size(0); ++k) {
    summary.metric(fmt::format("sentiment@{}/{}", iteration, k), points[k][0].item<double>());
    summary.metric(fmt::format("verbosity@{}/{}", iteration, k), points[k][1].item<double>());
  }
}

void run_directional(const DirectionalOptions& o, RunContext& context) {
  const auto& reference = context.get<NgramPolicy>(o.from);
  const auto angles = at::tensor(o.angles, at::kDouble);
  const auto directions = direction_from_angle(angles).direction;
  const auto count = static_cast<int64_t>(o.angles.size());
  const auto start = point_of(o, reference.log_probs().detach(), context.rng("start"));
  std::vector<NgramPolicy> policies;
  for (int64_t k = 0; k < count; ++k) policies.push_back(reference.clone());
  for (int64_t iteration = 1; iteration <= o.iterations; ++iteration) {
    const auto rng = context.rng("iterations").child(iteration);
    std::vector<at::Tensor> points;
    for (int64_t k = 0; k < count; ++k) {
      const auto& policy = policies[static_cast<size_t>(k)];
      const auto own = rng.child(k);
      const auto lines =
          winners(o, policy.log_probs().detach(), directions[o.scalar ? 0 : k], own.child("samples"));
      learn_directions(o, policy, lines, own.child("order"));
      points.push_back(point_of(o, policy.log_probs().detach(), own.child("measure")));
    }
    report_front(angles, directions, at::stack(points), start, iteration, context);
  }
}

PLAUDIT_STAGE(
    directional, DirectionalOptions,
    {
        .doc = "Fine-tunes a policy per direction between two objectives on the best of its answers.",
        .reads = [](const DirectionalOptions& o) { return Names{o.from}; },
        .run = run_directional,
    });

}  // namespace
}  // namespace plaudit
