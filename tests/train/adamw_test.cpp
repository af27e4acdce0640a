#include "plaudit/train/adamw.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "plaudit/core/call.h"
#include "plaudit/core/files.h"

namespace plaudit {
namespace {

constexpr AdamWOptions settings{.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1};

// The loss of data/adamw.py.
at::Tensor reference_loss(const at::Tensor& weight, const at::Tensor& bias, int64_t step) {
  return ((weight - 0.3).square() * (1 + step % 3)).sum() + at::sin(bias * (step + 1)).sum();
}

at::Tensor expected(const Json& snapshot, const char* name) {
  return tensor_from_json(snapshot.at(name), name).to(at::kDouble);
}

double worst(const at::Tensor& got, const at::Tensor& want) {
  return (got.detach().to(at::kDouble) - want).abs().max().item<double>();
}

void compare_with_torch(const char* precision, at::ScalarType dtype, double divisor, double tolerance) {
  const auto reference = read_json("tests/train/data/adamw.json").at(precision);
  auto weight = tensor_from_json(reference.at("start"), "start").to(dtype).requires_grad_();
  auto bias = at::tensor({0.5, -0.25}, dtype).requires_grad_();
  AdamW optimizer({{"weight", weight}, {"bias", bias}}, settings);
  size_t next = 0;
  for (int64_t step = 0; step < 100; ++step) {
    (reference_loss(weight, bias, step) * divisor).backward();
    optimizer.step(0.01, divisor);
    const auto& snapshot = reference.at("snapshots").at(next);
    if (snapshot.at("step") != step + 1) continue;
    EXPECT_LT(worst(weight, expected(snapshot, "weight")), tolerance) << "after " << step + 1;
    EXPECT_LT(worst(bias, expected(snapshot, "bias")), tolerance) << "after " << step + 1;
    ++next;
  }
  EXPECT_EQ(next, 3U);
}

TEST(AdamW, EqualsTorchOver100Steps) {
  compare_with_torch("f32", at::kFloat, 1, 1e-6);
  compare_with_torch("f64", at::kDouble, 1, 1e-12);
}

TEST(AdamW, TheDivisorScalesTheGradient) {
  compare_with_torch("f64", at::kDouble, 3.5, 1e-12);
}

TEST(AdamW, LowPrecisionWeightsFollowAnF32Master) {
  const auto start = at::linspace(-1, 1, 12).to(at::kBFloat16);
  auto low = start.clone().requires_grad_();
  auto high = start.to(at::kFloat).requires_grad_();
  AdamW low_optimizer({{"w", low}}, settings), high_optimizer({{"w", high}}, settings);
  // Steps far below the resolution of bf16 must add up.
  for (int64_t step = 0; step < 50; ++step) {
    const auto gradient = at::full({12}, step % 2 ? 1.0 : 0.5);
    low.mutable_grad() = gradient.to(at::kBFloat16);
    high.mutable_grad() = gradient;
    low_optimizer.step(1e-5, 1);
    high_optimizer.step(1e-5, 1);
  }
  const auto master = low_optimizer.state().back();
  EXPECT_EQ(master.name, "adamw.master/w");
  EXPECT_TRUE(at::equal(master.tensor, high.detach()));
  EXPECT_TRUE(at::equal(low.detach(), high.detach().to(at::kBFloat16)));
}

TEST(AdamW, LowPrecisionGradientsOfManyPassesSumInF32) {
  auto weight = at::zeros({1}, at::kBFloat16).requires_grad_();
  AdamW optimizer({{"w", weight}}, settings);
  // 1 + 1000 * 2^-9 cannot be summed in bf16: each addend is half a unit in the last place.
  (weight * 1.0).sum().backward();
  for (int pass = 0; pass < 1000; ++pass) {
    optimizer.collect();
    (weight * (1.0 / 512)).sum().backward();
  }
  const auto gradient = optimizer.gradients().front();
  EXPECT_EQ(gradient.scalar_type(), at::kFloat);
  EXPECT_FLOAT_EQ(gradient.item<float>(), 1 + 1000.F / 512);
}

TEST(AdamW, NormIsThatOfAllGradientsTogether) {
  auto a = at::zeros({2, 2}).requires_grad_();
  auto b = at::zeros({3}).requires_grad_();
  auto untouched = at::zeros({5}).requires_grad_();
  AdamW optimizer({{"a", a}, {"b", b}, {"c", untouched}}, settings);
  (a.sum() * 2 + b.sum() * 3).backward();
  EXPECT_FLOAT_EQ(optimizer.gradient_norm().item<float>(), std::sqrt(4 * 4 + 3 * 9.0F));
}

}  // namespace
}  // namespace plaudit
