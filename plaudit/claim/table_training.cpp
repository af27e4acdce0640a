#include "plaudit/claim/table_training.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

TrainOptions train_options(const TableTraining& options) {
  TrainOptions out;
  out.max_steps = options.steps;
  out.batch = std::max<int64_t>(options.batch, 1);
  out.tokens_per_batch = int64_t{1} << 40;  // one pass
  out.learning_rate = options.learning_rate;
  out.schedule = options.schedule;
  out.warmup = options.warmup;
  out.min_learning_rate = options.min_learning_rate;
  out.weight_decay = options.weight_decay;
  out.clip = 0;
  out.checkpoint_every = 0;
  for (const auto step : options.evaluate_at) {
    if (step > options.steps)
      fail(ErrorKind::value, "evaluate_at",
           fmt::format("must be <= {}, the steps, got {}", options.steps, step));
    out.evaluate_every = std::gcd(out.evaluate_every, step);
  }
  return out;
}

}  // namespace

template <>
void describe(OptionTable<TableTraining>& t) {
  t.field("steps", &TableTraining::steps, "updates", at_least(1));
  t.field("batch", &TableTraining::batch, "examples of an update; 0: all", at_least(0));
  t.field("learning_rate", &TableTraining::learning_rate, "of Adam", greater_than(0));
  t.field("schedule", &TableTraining::schedule, "of the learning rate",
          one_of({"constant", "linear", "cosine", "inverse-sqrt"}));
  t.field("warmup", &TableTraining::warmup, "share of the steps", from_to_below(0, 1));
  t.field("min_learning_rate", &TableTraining::min_learning_rate, "end of the schedule, as a share",
          between(0, 1));
  t.field("weight_decay", &TableTraining::weight_decay, "of AdamW", at_least(0));
  t.field("draw", &TableTraining::draw, "examples in epochs, or with replacement",
          one_of({"shuffle", "replacement"}));
  t.field("evaluate_at", &TableTraining::evaluate_at, "steps after which the policy is measured",
          at_least(1));
}

void train_table(const std::string& name, const std::vector<Parameter>& parameters, int64_t count,
                 const TableTraining& options, const Rng& rng, const TableLoss& loss,
                 const TableEvaluation& evaluate) {
  const bool full = options.batch == 0;
  std::vector<int64_t> drawn;
  if (!full && options.draw == "replacement") {
    auto stream = rng.child("replacement");
    drawn.resize(static_cast<size_t>(options.steps * options.batch));
    for (auto& example : drawn) example = stream.below(count);
  }
  const auto loss_of = [&](const std::vector<int64_t>& examples) {
    if (full) return loss({});
    if (drawn.empty()) return loss(examples);
    std::vector<int64_t> chosen;
    for (const auto i : examples) chosen.push_back(drawn[static_cast<size_t>(i)]);
    return loss(chosen);
  };
  TableObjective objective(name, parameters,
                           full            ? 1
                           : drawn.empty() ? count
                                           : static_cast<int64_t>(drawn.size()),
                           loss_of);
  TrainContext context{.rng = rng};
  if (evaluate && !options.evaluate_at.empty()) {
    context.evaluate = [&](int64_t step) -> std::map<std::string, double> {
      const auto& at = options.evaluate_at;
      const at::NoGradGuard no_grad;
      if (std::find(at.begin(), at.end(), step) != at.end()) evaluate(step);
      return {};
    };
  }
  train(objective, train_options(options), context);
}

StepLoss mean_loss(const at::Tensor& losses) {
  return {losses.sum(), static_cast<double>(losses.numel()), {}};
}

at::Tensor index_tensor(const std::vector<int64_t>& examples) {
  return at::tensor(examples, at::kLong);
}

}  // namespace plaudit
