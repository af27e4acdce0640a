#include "plaudit/plan/value_steering.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/generate.h"
#include "plaudit/plan/value_augmented.h"
#include "tests/support/files.h"
#include "tests/support/tiny_model.h"

namespace plaudit {
namespace {

// Values with weights that are not zero.
ValueModel moved(const LanguageModel& model) {
  ValueModel values(model, {"one", "two"}, 8, 1);
  const at::NoGradGuard no_grad;
  Rng rng(5, "move");
  for (const auto& [name, tensor] : values.parameters())
    tensor.detach().add_(rng.normal_tensor(tensor.sizes()));
  return values;
}

TEST(ValueSteering, IsValueAugmentedLogits) {
  const at::NoGradGuard no_grad;
  const auto model = tiny_model();
  const auto values = moved(model);
  Rng rng(2, "logits");
  auto logits = rng.normal_tensor({1, 257});
  logits[0][7] = logits[0][9];  // a tie
  const auto hidden = rng.normal_tensor({1, 32});
  const auto ids = top_k_candidates(logits, 15);
  const auto v =
      values
          .standard_values(values.of_states(hidden) +
                           values.of_tokens(model.transformer->head_weight().index_select(0, ids[0])))
          .t()
          .unsqueeze(1);
  const auto weighed = compose_values(v, at::tensor({3.0F, -1.0F}));
  const auto expected = value_augmented_logits(logits, ids, weighed, 1).logits;
  auto steered = logits.clone();
  ValueSteering(values, model, {3, -1}, 15)
      .steer(hidden.data_ptr<float>(), 32, steered.data_ptr<float>(), 257);
  EXPECT_TRUE(at::allclose(steered, expected, 1e-4, 1e-4));
}

// Beta 0 draws the very tokens that plain sampling draws; the base's log-probabilities are kept beside.
TEST(ValueSteering, BetaZeroIsPlainSampling) {
  const auto model = tiny_model();
  const auto values = moved(model);
  const SamplingOptions sampling{.max_new_tokens = 12, .per_prompt = 3};
  const std::vector<std::vector<int64_t>> prompts = {{65, 66, 67}, {70}};
  const auto draw = [&](const std::vector<double>& beta) {
    const Generator generator(model, "f32", true,
                              beta.empty() ? nullptr : std::make_shared<ValueSteering>(values, model, beta));
    return generator.generate(prompts, sampling, Rng(1, "draw"));
  };
  const auto plain = draw({}), zero = draw({0, 0}), hard = draw({20, 0});
  bool differs = false;
  for (size_t i = 0; i < plain.size(); ++i) {
    for (size_t k = 0; k < plain[i].size(); ++k) {
      EXPECT_EQ(plain[i][k].ids, zero[i][k].ids);
      EXPECT_TRUE(plain[i][k].base_logps.empty());
      ASSERT_EQ(zero[i][k].base_logps.size(), zero[i][k].ids.size());
      for (size_t t = 0; t < zero[i][k].ids.size(); ++t)
        EXPECT_NEAR(zero[i][k].logps[t], zero[i][k].base_logps[t], 1e-4);
      differs = differs || plain[i][k].ids != hard[i][k].ids;
    }
  }
  EXPECT_TRUE(differs);
}

TEST(ValueSteering, RefusesWhatDoesNotFit) {
  const auto model = tiny_model();
  const auto values = moved(model);
  EXPECT_THROW(ValueSteering(values, model, {1}), UserError);
  EXPECT_THROW(ValueSteering(values, model, {1, 1}, 0), UserError);
  EXPECT_THROW(ValueSteering(values, tiny_model(1), {1, 1}), UserError);

  // Values of prompts alone say nothing of words; the file remembers.
  auto of_prompts = moved(model);
  of_prompts.set_positions("prompt");
  const testing::TemporaryFolder folder;
  of_prompts.save(folder / "values");
  EXPECT_THROW(ValueSteering(ValueModel::load(folder / "values"), model, {1, 1}), UserError);
}

}  // namespace
}  // namespace plaudit
