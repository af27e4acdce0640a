#include "plaudit/model/token_logps.h"

#include <gtest/gtest.h>

#include "tests/model/support.h"

namespace plaudit {
namespace {

using testing::difference;
using testing::gradients;
using testing::numbers;

const at::Tensor& targets() {
  static const auto t = at::tensor(std::vector<int64_t>{3, 0, 16, 5, 5, 9, 1, 12, 2, 7, 11});
  return t;
}

TEST(TokenLogps, EqualsTheReferenceForEveryChunk) {
  const auto hidden = numbers({11, 6}, 0), weight = numbers({17, 6}, 1);
  for (const std::optional<double> cap : {std::optional<double>(), std::optional<double>(2.0)}) {
    for (const int64_t chunk : {1, 4, 10, 11, 1024}) {
      const TokenLogpsOptions options{0.7, cap, chunk, chunk == 10 ? 4096 : 2 + chunk / 2};
      const auto [logps, entropy] = token_logps(hidden, weight, targets(), options, at::kDouble);
      const auto [slow_logps, slow_entropy] = token_logps_reference(hidden, weight, targets(), options);
      EXPECT_LT(difference(logps, slow_logps), 1e-10);
      EXPECT_LT(difference(entropy, slow_entropy), 1e-10);
      const auto a = gradients({logps, entropy}, {hidden, weight});
      const auto b = gradients({slow_logps, slow_entropy}, {hidden, weight});
      EXPECT_LT(difference(a[0], b[0]), 1e-9) << chunk;
      EXPECT_LT(difference(a[1], b[1]), 1e-9) << chunk;
    }
  }
}

TEST(TokenLogps, FrozenWeightTakesTheGradientInTheForwardPass) {
  const auto hidden = numbers({11, 6}, 0), weight = numbers({17, 6}, 1, false);
  const TokenLogpsOptions options{1.3, {}, 4, 5};
  const auto [slow_logps, slow_entropy] = token_logps_reference(hidden, weight, targets(), options);
  const auto once = token_logps(hidden, weight, targets(), options, at::kDouble);
  EXPECT_LT(difference(gradients({once.first}, {hidden})[0], gradients({slow_logps}, {hidden})[0]), 1e-9);
  // A gradient through the entropy falls back to computing the chunks again.
  const auto both = token_logps(hidden, weight, targets(), options, at::kDouble);
  const auto [again_logps, again_entropy] = token_logps_reference(hidden, weight, targets(), options);
  EXPECT_LT(difference(gradients({both.first, both.second}, {hidden})[0],
                       gradients({again_logps, again_entropy}, {hidden})[0]),
            1e-9);
}

TEST(TokenLogps, TheLogsumexpIsDifferentiableToo) {
  const TokenLogpsOptions options{1, 2.0, 4, 6};
  for (const bool frozen : {false, true}) {
    const auto hidden = numbers({11, 6}, 0), weight = numbers({17, 6}, 1, !frozen);
    const auto scores = token_scores(hidden, weight, targets(), options, at::kDouble);
    const auto z = at::tanh(at::matmul(hidden, weight.t()) / 2) * 2;
    const auto lse = z.logsumexp(1), chosen = z.gather(1, targets().unsqueeze(1)).squeeze(1);
    EXPECT_LT(difference(scores.lse, lse), 1e-10);
    EXPECT_LT(difference(scores.logps + scores.lse, chosen), 1e-10);
    std::vector<at::Tensor> leaves = {hidden};
    if (!frozen) leaves.push_back(weight);
    const auto a = gradients({scores.logps, scores.lse}, leaves), b = gradients({chosen - lse, lse}, leaves);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_LT(difference(a[i], b[i]), 1e-9) << frozen;
  }
}

// f32 and bf16 go through kernels of their own.
TEST(TokenLogps, OneAndTwoBytesLessPrecisionEqualTheReference) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const int64_t vocab : {17, 64, 200, 201}) {
      auto hidden = numbers({11, 6}, 0, false).to(type),
           weight = (3 * numbers({vocab, 6}, 1, false)).to(type);
      const TokenLogpsOptions options{0.7, {}, 4, vocab == 64 ? 64 : 72};
      const auto exact_hidden = hidden.to(at::kDouble).set_requires_grad(true),
                 exact_weight = weight.to(at::kDouble).set_requires_grad(true);
      const auto [slow_logps, slow_entropy] =
          token_logps_reference(exact_hidden, exact_weight, targets(), options);
      hidden.set_requires_grad(true);
      weight.set_requires_grad(true);
      const auto scores = token_scores(hidden, weight, targets(), options, type);
      const double most = type == at::kFloat ? 2e-5 : 0.1;  // bf16: of logits up to 10, which it rounds
      EXPECT_LT(difference(scores.logps, slow_logps), most) << vocab;
      EXPECT_LT(difference(scores.entropy, slow_entropy), most) << vocab;
      const auto slow_lse = (at::matmul(exact_hidden, exact_weight.t()) / 0.7).logsumexp(1);
      const auto a = gradients({scores.logps, scores.entropy, scores.lse}, {hidden, weight}),
                 b = gradients({slow_logps, slow_entropy, slow_lse}, {exact_hidden, exact_weight});
      for (size_t i = 0; i < a.size(); ++i)
        EXPECT_LT(difference(a[i], b[i]) / b[i].abs().max().item<double>(), type == at::kFloat ? 2e-5 : 0.03)
            << vocab;
    }
  }
}

TEST(TokenLogps, ATokenThatCannotBeDrawnHasNoShareAndNaNSpreads) {
  auto hidden = at::ones({2, 1}).set_requires_grad(true);
  auto weight = at::zeros({40, 1});
  weight.slice(0, 20) = -INFINITY;
  weight.set_requires_grad(true);
  const auto zeros = at::zeros({2}, at::kLong);
  for (const int64_t tile : {7, 20, 4096}) {  // 7, 20: tiles that no token can be drawn from
    const auto [logps, entropy] = token_logps(hidden, weight, zeros, {.tile = tile}, at::kFloat);
    EXPECT_NEAR(logps[0].item<double>(), -std::log(20), 1e-5);
    EXPECT_NEAR(entropy[0].item<double>(), std::log(20), 1e-5);
    const auto never = token_logps(hidden, weight, zeros + 30, {.tile = tile}, at::kFloat).first;
    EXPECT_EQ(never[0].item<double>(), -INFINITY);
    const auto slope = gradients({entropy}, {weight})[0];
    EXPECT_LT(slope.abs().max().item<double>(), 1e-5);
  }
  const auto spoilt = at::full({2, 1}, NAN);
  const auto scores = token_scores(spoilt, at::ones({40, 1}), zeros, {}, at::kFloat);
  EXPECT_TRUE(scores.logps.isnan().all().item<bool>() && scores.entropy.isnan().all().item<bool>());
}

TEST(TokenLogps, NoRowsGiveNoNumbers) {
  const auto hidden = numbers({0, 6}, 0), weight = numbers({17, 6}, 1);
  const auto [logps, entropy] = token_logps(hidden, weight, at::empty({0}, at::kLong), {}, at::kDouble);
  EXPECT_EQ(logps.numel(), 0);
  EXPECT_EQ(torch::autograd::grad({logps.sum()}, {weight})[0].abs().sum().item<double>(), 0);
}

}  // namespace
}  // namespace plaudit
