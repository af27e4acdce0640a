#include "plaudit/model/project.h"

#include <gtest/gtest.h>

#include "tests/model/support.h"

namespace plaudit {
namespace {

using at::Tensor;
using testing::difference;
using testing::gradients;
using testing::numbers;

// Results and gradients of project() and of its reference.
void expect_same(const ProjectionInput& input, const std::vector<Projection>& projections,
                 std::vector<Tensor> leaves) {
  const auto fast = project(input, projections, at::kDouble);
  const auto slow = project_reference(input, projections, at::kDouble);
  ASSERT_EQ(fast.size(), slow.size());
  for (size_t i = 0; i < fast.size(); ++i) EXPECT_LT(difference(fast[i], slow[i]), 1e-10);
  const auto fast_grads = gradients(fast, leaves), slow_grads = gradients(slow, leaves);
  for (size_t i = 0; i < leaves.size(); ++i) EXPECT_LT(difference(fast_grads[i], slow_grads[i]), 1e-9) << i;
}

struct Inputs {
  Tensor x = numbers({7, 6}, 0), up = numbers({7, 6}, 1), w = numbers({5, 6}, 2), v = numbers({3, 6}, 3),
         bias = numbers({5}, 4), scale = numbers({6}, 5), shift = numbers({6}, 6);
  LoraLayer lora{numbers({2, 6}, 7), numbers({5, 2}, 8), 1.5, 0.25};
};

TEST(Project, PlainWithBias) {
  const Inputs n;
  expect_same({n.x, {}, {}, {}}, {{n.w, n.bias, nullptr, {}}}, {n.x, n.w, n.bias});
}

TEST(Project, NormsFeedSeveralProducts) {
  const Inputs n;
  for (const bool offset : {false, true})
    expect_same({n.x, Norm{n.scale, {}, 1e-5, offset}, {}, {}},
                {{n.w, {}, nullptr, {}}, {n.v, {}, nullptr, {}}}, {n.x, n.scale, n.w, n.v});
  expect_same({n.x, Norm{n.scale, n.shift, 1e-5, false}, {}, {}}, {{n.w, n.bias, nullptr, {}}},
              {n.x, n.scale, n.shift, n.w, n.bias});
}

TEST(Project, ActivationsWithAndWithoutGate) {
  const Inputs n;
  for (const auto kind :
       {Activation::silu, Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu}) {
    expect_same({n.x, {}, kind, n.up}, {{n.w, {}, nullptr, {}}}, {n.x, n.up, n.w});
    expect_same({n.x, {}, kind, {}}, {{n.w, n.bias, nullptr, {}}}, {n.x, n.w, n.bias});
  }
}

TEST(Project, AdapterOverFrozenWeightsWithAndWithoutDropout) {
  const Inputs n;
  const auto frozen = n.w.detach(), scale = n.scale.detach();
  for (const std::optional<uint64_t> key : {std::optional<uint64_t>(), std::optional<uint64_t>(42)})
    expect_same({n.x, Norm{scale, {}, 1e-5, false}, {}, {}},
                {{frozen, {}, &n.lora, key}, {n.v.detach(), {}, nullptr, {}}}, {n.x, n.lora.a, n.lora.b});
}

TEST(Project, FrozenEverythingKeepsNoGraph) {
  const Inputs n;
  const auto y = project({n.x.detach(), {}, {}, {}}, {{n.w.detach(), {}, nullptr, {}}}, at::kFloat)[0];
  EXPECT_FALSE(y.requires_grad());
  EXPECT_EQ(y.scalar_type(), at::kFloat);
}

}  // namespace
}  // namespace plaudit
