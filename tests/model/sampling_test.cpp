#include "plaudit/model/sampling.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

at::Tensor random_logits(int64_t n, double spread) {
  return Rng(7, "logits").normal_tensor({n}) * spread;
}

TEST(SamplingProbs, EqualLogitsKeepTheLowerIds) {
  const auto probs = sampling_probs(at::tensor({1.0, 2.0, 2.0, 2.0}), {.top_k = 2});
  EXPECT_TRUE(at::allclose(probs, at::tensor({0.0, 0.5, 0.5, 0.0}, at::kDouble)));
}

TEST(SamplingProbs, TopPKeepsTheCrossingTokenAndAtLeastOne) {
  const auto uniform = at::zeros({4}, at::kDouble);
  EXPECT_EQ(sampling_probs(uniform, {.top_p = 0.5}).count_nonzero().item<int64_t>(), 2);
  EXPECT_EQ(sampling_probs(uniform, {.top_p = 0.51}).count_nonzero().item<int64_t>(), 3);
  EXPECT_EQ(sampling_probs(uniform, {.top_p = 1e-9}).count_nonzero().item<int64_t>(), 1);
}

TEST(SamplingProbs, WorksOnBatchesAndMinusInfinity) {
  const auto logits = at::stack({random_logits(9, 1), random_logits(9, 3)});
  const SamplingFilter filter{.temperature = 0.7, .top_k = 5, .top_p = 0.8, .min_p = 0.02};
  const auto both = sampling_probs(logits, filter);
  EXPECT_TRUE(at::allclose(both[1], sampling_probs(logits[1], filter)));
  auto masked = logits[0].clone();
  masked[3] = -INFINITY;
  EXPECT_EQ(sampling_probs(masked, {})[3].item<float>(), 0);
}

TEST(SamplingProbs, RefusesWhatIsNoDistribution) {
  const auto kind = [](const at::Tensor& logits, const SamplingFilter& filter) {
    try {
      sampling_probs(logits, filter);
    } catch (const UserError& error) {
      return std::string(to_string(error.kind()));
    }
    return std::string("none");
  };
  const auto good = at::tensor({1.0, 2.0});
  EXPECT_EQ(kind(at::empty({0}), {}), "empty");
  EXPECT_EQ(kind(at::tensor({1.0, double(NAN)}), {}), "nan");
  EXPECT_EQ(kind(at::tensor({1.0, double(INFINITY)}), {}), "nan");
  EXPECT_EQ(kind(at::full({2}, -INFINITY), {}), "value");
  EXPECT_EQ(kind(at::scalar_tensor(1.0), {}), "shape");
  EXPECT_EQ(kind(good, {.temperature = -1}), "value");
  EXPECT_EQ(kind(good, {.top_k = -1}), "value");
  EXPECT_EQ(kind(good, {.top_p = 0}), "value");
  EXPECT_EQ(kind(good, {.min_p = 1.5}), "value");
  EXPECT_EQ(kind(good, {}), "none");
}

// The sampler against the definition: the support is the same and the frequencies agree.
class SamplerFilters : public ::testing::TestWithParam<SamplingFilter> {};

TEST_P(SamplerFilters, DrawsFromSamplingProbs) {
  const auto logits = random_logits(3000, 2.5).contiguous();
  const auto probs = sampling_probs(logits, GetParam());
  const auto log_probs = at::log_softmax(logits.to(at::kDouble), -1);
  TokenSampler sampler;
  Rng rng(1, "draws");
  constexpr int kDraws = 20000;
  std::vector<int> counts(3000);
  for (int i = 0; i < kDraws; ++i) {
    const auto draw = sampler.draw(logits.const_data_ptr<float>(), 3000, GetParam(), rng);
    ++counts[static_cast<size_t>(draw.id)];
    ASSERT_NEAR(draw.logp, log_probs[draw.id].item<double>(), 1e-5);
  }
  for (int64_t id = 0; id < 3000; ++id) {
    const double p = probs[id].item<double>(), share = counts[static_cast<size_t>(id)] / double(kDraws);
    if (p == 0) {
      ASSERT_EQ(share, 0) << id;
    }
    ASSERT_NEAR(share, p, 5 * std::sqrt(p * (1 - p) / kDraws) + 2.0 / kDraws) << id;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Filters, SamplerFilters,
    ::testing::Values(SamplingFilter{}, SamplingFilter{.temperature = 0.5}, SamplingFilter{.temperature = 3},
                      SamplingFilter{.top_k = 7}, SamplingFilter{.top_k = 5000}, SamplingFilter{.top_p = 0.3},
                      SamplingFilter{.temperature = 4, .top_p = 0.95}, SamplingFilter{.min_p = 0.1},
                      SamplingFilter{.temperature = 0.8, .top_k = 40, .top_p = 0.9, .min_p = 0.05},
                      SamplingFilter{.temperature = 2, .top_p = 0.9, .min_p = 0.01}));

TEST(TokenSampler, GreedyTakesTheLowerIdOfEquals) {
  const std::vector<float> logits = {0, 3, 1, 3};
  Rng rng(0, "unused");
  EXPECT_EQ(TokenSampler().draw(logits.data(), 4, {.temperature = 0}, rng).id, 1);
}

TEST(TokenSampler, NeverDrawsWhatCannotBe) {
  std::vector<float> logits(40, -INFINITY);
  logits[33] = 0;
  Rng rng(0, "x");
  for (const auto& filter : {SamplingFilter{}, SamplingFilter{.top_k = 5}, SamplingFilter{.top_p = 0.9}})
    EXPECT_EQ(TokenSampler().draw(logits.data(), 40, filter, rng).id, 33);
}

TEST(TokenSampler, RefusesNaN) {
  std::vector<float> logits(40, 0);
  logits[20] = NAN;
  Rng rng(0, "x");
  EXPECT_THROW(TokenSampler().draw(logits.data(), 40, {}, rng), UserError);
}

}  // namespace
}  // namespace plaudit
