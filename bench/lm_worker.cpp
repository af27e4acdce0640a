#include "bench/lm_worker.h"

#include <ATen/ATen.h>

#include <chrono>
#include <cmath>
#include <memory>

#include "bench/lm_data.h"
#include "bench/process.h"
#include "bench/sampling.h"
#include "plaudit/core/errors.h"
#include "plaudit/plan/value_steering.h"
#include "plaudit/train/preference.h"
#include "plaudit/train/ranked_preference.h"
#include "plaudit/train/reward.h"
#include "plaudit/train/supervised.h"
#include "plaudit/train/unpaired.h"

namespace plaudit::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Elements of the matrices that every token passes, and of the head.
struct MatrixSizes {
  double body = 0, head = 0;

  explicit MatrixSizes(const Transformer& model) {
    head = static_cast<double>(model.head_weight().numel());
    for (const auto& [name, weight] : model.weights()) {
      const bool table = name.find("embed") != std::string::npos || name.find("wte") != std::string::npos ||
                         name.find("wpe") != std::string::npos || name.find("lm_head") != std::string::npos;
      if (weight.dim() == 2 && !table) body += static_cast<double>(weight.numel());
    }
  }
};

std::vector<Demonstration> demonstrations_of(const std::vector<PreferencePair>& pairs) {
  std::vector<Demonstration> out;
  for (const auto& pair : pairs) out.push_back({pair.prompt, pair.chosen});
  return out;
}

std::unique_ptr<Objective> objective_of(const std::string& job, const LanguageModel& model,
                                        const Json& data) {
  const auto pairs = pairs_of(data);
  if (job == "sft") return std::make_unique<SupervisedObjective>(model, demonstrations_of(pairs));
  if (job == "kto") return std::make_unique<UnpairedObjective>(model, feedback_of(data), UnpairedOptions{});
  if (job == "plackett-luce")
    return std::make_unique<RankedPreferenceObjective>(model, lists_of(data), RankedPreferenceOptions{});
  if (job != "reward") {
    PreferenceOptions options;
    options.loss = job;
    return std::make_unique<PreferenceObjective>(model, pairs, options);
  }
  const auto reward = std::make_shared<RewardModel>(model, RewardModelOptions{}, 0);
  reward->head()[0].tensor.detach().fill_(0.01);  // as the peer's, so that the first losses are equal
  return std::make_unique<RewardObjective>(reward, pairs);
}

// Products of one update: forward, and twice that backward. A shared prompt is computed once.
double flop_of_step(const Json& data, const std::string& job, const MatrixSizes& sizes, int64_t step) {
  const auto batch = data.at("batch").get<int64_t>();
  double body = 0, head = 0;
  if (job == "kto") {
    // The mismatched answers are computed forward alone, a third of the work, and are about as many tokens.
    for (int64_t i = 2 * step * batch; i < 2 * (step + 1) * batch; ++i) {
      const auto& e = data.at("unpaired").at(static_cast<size_t>(i));
      const auto answer = static_cast<double>(e.at("completion").size());
      body += static_cast<double>(e.at("prompt").size()) + answer;
      head += answer;
    }
    return 8 * (body * sizes.body + head * sizes.head);
  }
  for (int64_t i = step * batch; i < (step + 1) * batch; ++i) {
    if (job == "plackett-luce") {
      const auto& list = data.at("ranked").at(static_cast<size_t>(i));
      double answers = 0;
      for (const auto& answer : list.at("answers")) answers += static_cast<double>(answer.size());
      body += static_cast<double>(list.at("prompt").size()) + answers;
      head += answers;
      continue;
    }
    const auto& e = data.at("examples").at(static_cast<size_t>(i));
    const auto answers = e.at("chosen").size() + (job == "sft" ? 0 : e.at("rejected").size());
    body += static_cast<double>(e.at("prompt").size() + answers);
    if (job != "reward") head += static_cast<double>(answers);
  }
  return 6 * (body * sizes.body + head * sizes.head);
}

Json run_steps(const Json& job) {
  const std::string name = job.at("job");
  const auto data = read_json(job.at("data"));
  const auto model = LanguageModel::load(job.at("model"));
  model.transformer->set_precision(job.at("precision") == "bf16" ? Precision::bf16_autocast : Precision::f32);
  model.transformer->set_trainable(true);
  const auto objective = objective_of(name, model, data);

  // The first update warms up.
  Clock::time_point start, end;
  Json same_work;
  TrainContext context{.rng = step_rng()};
  context.metrics = [&](int64_t step, const std::map<std::string, double>& metrics) {
    end = Clock::now();
    if (step > 1) return;
    start = end;
    same_work["first_loss"] = metrics.at("loss");
    if (metrics.count("logps/chosen")) same_work["logps_chosen"] = metrics.at("logps/chosen");
    if (name == "kto") same_work["logps_desirable"] = metrics.at("logps/desirable");
    if (name == "plackett-luce") same_work["answers_per_prompt"] = 4;
  };
  train(*objective, step_options(data, name), context);

  const double seconds = std::chrono::duration<double>(end - start).count();
  const MatrixSizes sizes(*model.transformer);
  double flop = 0;
  int64_t tokens = 0;
  for (int64_t step = 1; step < data.at("steps").get<int64_t>(); ++step) {
    tokens += tokens_of_step(data, name, step);
    flop += flop_of_step(data, name, sizes, step);
  }
  return {{"rate", static_cast<double>(tokens) / seconds},
          {"seconds", seconds},
          {"flop", flop},
          {"bytes", 0},
          {"same_work", same_work}};
}

Json run_sampling(const Json& job) {
  const auto model = LanguageModel::load(job.at("model"));
  const int64_t batch = job.at("batch"), prompt = job.at("prompt_tokens"), fresh = job.at("new_tokens");
  const auto rate = measure_sampling(model, prompt, fresh, batch, job.at("precision"));
  const MatrixSizes sizes(*model.transformer);
  const auto rows = static_cast<double>(batch);
  const double passes = static_cast<double>(fresh);  // each reads all weights once
  return {{"rate", rate.tokens_per_second},
          {"seconds", rate.seconds},
          {"flop", 2 * rows * (sizes.body * static_cast<double>(prompt + fresh) + sizes.head * passes)},
          {"bytes", passes * (sizes.body + sizes.head) * (job.at("precision") == "bf16" ? 2 : 4)},
          {"same_work", {{"batch", batch}, {"prompt_tokens", prompt}, {"new_tokens", fresh}}}};
}

// Steering of the size that recipes/42-vas.yaml trains. Values start at zero everywhere: random ones choose
// among the candidates.
std::shared_ptr<const Steering> random_steering(const LanguageModel& model) {
  const int64_t width = 64;
  const ValueModel values(model, {"random"}, width, 0);
  Rng rng(0, "bench/values");
  for (const auto& [name, tensor] : values.parameters())
    if (name == "value.out")
      tensor.detach().copy_(rng.normal_tensor({1, width}) / std::sqrt(static_cast<double>(width)));
  return std::make_shared<ValueSteering>(values, model, std::vector<double>{5}, 15);
}

Json run_steering(const Json& job) {
  const auto model = LanguageModel::load(job.at("model"));
  const int64_t batch = job.at("batch"), prompt = job.at("prompt_tokens"), fresh = job.at("new_tokens");
  const auto rates = measure_steering(model, random_steering(model), prompt, fresh, batch,
                                      job.at("precision"), job.at("rounds"));
  return {{"steered", rates.steered},
          {"plain", rates.plain},
          {"same_work", {{"batch", batch}, {"prompt_tokens", prompt}, {"new_tokens", fresh}}}};
}

}  // namespace

void run_lm_worker(const std::string& job_file) {
  const auto job = read_json(job_file);
  const std::string name = job.at("job");
  auto result = name == "sampling"   ? run_sampling(job)
                : name == "steering" ? run_steering(job)
                                     : run_steps(job);
  result["peak_mib"] = peak_mib();
  write_json(job.at("out"), result);
}

}  // namespace plaudit::bench
