// What holds for every objective on text: its loss does not depend on how examples are packed and batched,
// and a stopped run with adapter dropout continues bit for bit.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>

#include "plaudit/train/preference.h"
#include "plaudit/train/reward.h"
#include "plaudit/train/supervised.h"
#include "plaudit/train/unpaired.h"
#include "tests/support/tiny_model.h"
#include "tests/train/folder.h"

namespace plaudit {
namespace {

// Answers and prompts of 0 to 11 tokens.
std::string text(Rng& rng, int64_t least) {
  std::string out;
  for (auto length = least + rng.below(12 - least); length > 0; --length)
    out += static_cast<char>('a' + rng.below(26));
  return out;
}

std::vector<PreferencePair> random_pairs(uint64_t seed, int64_t count) {
  Rng rng(seed, "pairs");
  std::vector<PreferencePair> out;
  for (int64_t i = 0; i < count; ++i) {
    const auto prompt = text(rng, 1), chosen = text(rng, 0);
    out.push_back(text_pair(prompt, chosen, text(rng, 0) + "!"));
    out.back().weight = static_cast<double>(1 + rng.below(3));
    out.back().label = i % 4 == 3 ? 0.7 : 1;
  }
  return out;
}

struct Subject {
  std::string name;
  std::function<std::unique_ptr<Objective>(const LanguageModel&, const std::vector<PreferencePair>&)> make;
};

std::vector<Subject> subjects() {
  std::vector<Subject> out = {
      {"supervised",
       [](const LanguageModel& model, const std::vector<PreferencePair>& pairs) {
         std::vector<Demonstration> data;
         for (const auto& pair : pairs) data.push_back({pair.prompt, pair.chosen, pair.weight});
         return std::make_unique<SupervisedObjective>(model, data);
       }},
      {"kto",
       [](const LanguageModel& model, const std::vector<PreferencePair>& pairs) {
         std::vector<UnpairedFeedback> data;
         for (const auto& pair : pairs) data.push_back({pair.prompt, pair.chosen, data.size() % 2 == 0});
         return std::make_unique<UnpairedObjective>(model, data, UnpairedOptions{});
       }},
  };
  for (const std::string pooling : {"last", "mean"}) {
    out.push_back({"reward-" + pooling,
                   [pooling](const LanguageModel& model, const std::vector<PreferencePair>& pairs) {
                     auto reward = std::make_shared<RewardModel>(
                         model, RewardModelOptions{.pooling = pooling, .bias = true}, 0);
                     return std::make_unique<RewardObjective>(reward, pairs);
                   }});
  }
  for (const auto& loss : preference_loss_names()) {
    out.push_back({loss, [loss](const LanguageModel& model, const std::vector<PreferencePair>& pairs) {
                     return std::make_unique<PreferenceObjective>(model, pairs,
                                                                  PreferenceOptions{.loss = loss});
                   }});
  }
  return out;
}

// Loss, weight and gradients, all as sums over the passes.
struct Sums {
  double loss = 0, weight = 0;
  at::Tensor gradient;
};

Sums sum_over(Objective& objective, const std::vector<std::vector<int64_t>>& passes) {
  Sums out;
  for (const auto& parameter : objective.parameters()) parameter.tensor.mutable_grad().reset();
  for (const auto& pass : passes) {
    const auto loss = objective.loss(pass);
    loss.loss_sum.backward();
    out.loss += loss.loss_sum.item<double>();
    out.weight += loss.weight;
  }
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : objective.parameters())
    gradients.push_back(parameter.tensor.grad().flatten().clone());
  out.gradient = at::cat(gradients);
  return out;
}

TEST(Invariance, PackingAndBatchingChangeNothing) {
  for (const auto& subject : subjects()) {
    for (uint64_t seed = 0; seed < 3; ++seed) {
      const auto model = tiny_model();
      const auto objective = subject.make(model, random_pairs(seed, 6));
      TrainContext context{.rng = Rng(0, "train")};
      ASSERT_TRUE(objective->prepare({}, context));
      const at::Tensor first = model.transformer->trainable()[0].tensor;
      {
        const at::NoGradGuard no_grad;
        first.add_(Rng(seed, "move").normal_tensor(first.sizes()) * 0.05);
      }
      objective->begin_update({0, 1, 2, 3, 4, 5}, 10000, {});
      const auto whole = sum_over(*objective, {{0, 1, 2, 3, 4, 5}});
      const auto single = sum_over(*objective, {{3}, {0}, {5}, {1}, {4}, {2}});
      const auto mixed = sum_over(*objective, {{5, 2, 0}, {4}, {1, 3}});
      const double scale = whole.gradient.abs().max().item<double>();
      for (const auto& other : {single, mixed}) {
        EXPECT_NEAR(whole.loss, other.loss, 1e-5 * std::max(1.0, std::abs(whole.loss))) << subject.name;
        EXPECT_DOUBLE_EQ(whole.weight, other.weight) << subject.name;
        EXPECT_LT((whole.gradient - other.gradient).abs().max().item<double>(), 1e-5 * std::max(1.0, scale))
            << subject.name;
      }
    }
  }
}

LanguageModel dropout_model() {
  auto model = tiny_model();
  model.transformer->add_lora({.rank = 2, .alpha = 4, .dropout = 0.2}, 0);
  return model;
}

std::vector<at::Tensor> values_of(const Objective& objective) {
  std::vector<at::Tensor> out;
  for (const auto& parameter : objective.parameters()) out.push_back(parameter.tensor.detach().clone());
  return out;
}

TEST(Invariance, AStoppedRunWithDropoutContinuesBitForBit) {
  const auto data = random_pairs(9, 7);
  TrainOptions options;
  options.max_steps = 6;
  options.batch = 4;
  options.tokens_per_batch = 40;
  options.learning_rate = 5e-3;
  options.checkpoint_every = 2;
  for (const auto& subject : subjects()) {
    if (subject.name != "supervised" && subject.name != "dpo" && subject.name != "reward-last") continue;
    const TestFolder folder("invariance-" + subject.name);
    const auto whole = subject.make(dropout_model(), data), stopped = subject.make(dropout_model(), data),
               resumed = subject.make(dropout_model(), data);
    TrainContext context{.rng = Rng(0, "train")};
    train(*whole, options, context);
    TrainContext interrupted{.rng = Rng(0, "train"), .folder = folder.path()};
    int64_t steps = 0;
    interrupted.metrics = [&](int64_t step, const auto&) { steps = step; };
    interrupted.interrupt = [&] { return steps >= 2; };
    EXPECT_TRUE(train(*stopped, options, interrupted).interrupted);
    TrainContext rest{.rng = Rng(0, "train"), .folder = folder.path()};
    EXPECT_EQ(train(*resumed, options, rest).resumed_from, 3) << subject.name;
    const auto expected = values_of(*whole), found = values_of(*resumed);
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_TRUE(at::equal(expected[i], found[i])) << subject.name << " " << i;
  }
}

}  // namespace
}  // namespace plaudit
