#include "plaudit/model/attention.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "tests/model/support.h"

namespace plaudit {
namespace {

using at::Tensor;
using testing::difference;
using testing::gradients;
using testing::numbers;

// A prompt of 9, two answers, a continuation of the second, and a segment by itself.
PackedBatch forest() {
  PackedBuilder b;
  const auto prompt = b.add(std::vector<int64_t>(9, 1));
  b.add(std::vector<int64_t>(4, 1), prompt);
  const auto second = b.add(std::vector<int64_t>(7, 1), prompt);
  b.add(std::vector<int64_t>(3, 1), second);
  b.add(std::vector<int64_t>(6, 1));
  return b.build();
}

// The definition: row i sees row j of its own segment or of one above, not after it and within the window.
Tensor visible_rows(const PackedBatch& batch, int64_t window) {
  const auto visible = at::zeros({batch.tokens(), batch.tokens()}, at::kBool);
  auto* sees = visible.mutable_data_ptr<bool>();
  const auto* position = batch.positions.const_data_ptr<int64_t>();
  for (const auto& s : batch.segments) {
    for (const Segment* above = &s;; above = &batch.segments[static_cast<size_t>(above->parent)]) {
      for (int64_t i = s.begin; i < s.end; ++i) {
        for (int64_t j = above->begin; j < above->end; ++j) {
          const auto apart = position[i] - position[j];
          sees[i * batch.tokens() + j] = apart >= 0 && (window == 0 || apart < window);
        }
      }
      if (above->parent < 0) break;
    }
  }
  return visible;
}

TEST(PackedAttention, EqualsTheDefinitionForEveryWindow) {
  const auto batch = forest();
  const auto n = batch.tokens();
  const auto q = numbers({n, 4, 6}, 0), k = numbers({n, 2, 6}, 1), v = numbers({n, 2, 6}, 2);
  for (const int64_t window : {0, 1, 2, 3, 5, 8, 11, 16, 40}) {
    const auto plan = std::make_shared<const AttentionPlan>(plan_attention(batch, window));
    const auto fast = packed_attention(q, k, v, plan, {0.4, {}, {}});
    const auto slow = masked_attention(q, k, v, visible_rows(batch, window), 0.4, {});
    EXPECT_LT(difference(fast, slow), 1e-9) << window;
    const auto a = gradients({fast}, {q, k, v}), b = gradients({slow}, {q, k, v});
    for (size_t i = 0; i < 3; ++i) EXPECT_LT(difference(a[i], b[i]), 1e-8) << window << " input " << i;
  }
}

TEST(PackedAttention, RotatesAndCaps) {
  const auto batch = forest();
  const auto n = batch.tokens();
  const auto q = numbers({n, 2, 6}, 0), k = numbers({n, 2, 6}, 1), v = numbers({n, 2, 6}, 2);
  const auto plan = std::make_shared<const AttentionPlan>(plan_attention(batch, 0));
  TransformerConfig config;
  config.head_dim = 6;
  const auto table = rope_table(rope_frequencies(config, false), batch.positions);
  const auto visible = visible_rows(batch, 0);
  const auto turned = [&](const Tensor& t) { return rope(t, batch.positions, config.rope_theta); };
  for (const std::optional<double> cap : {std::optional<double>(), std::optional<double>(1.5)}) {
    const auto fast = packed_attention(q, k, v, plan, {0.4, cap, table});
    const auto slow = masked_attention(turned(q), turned(k), v, visible, 0.4, cap);
    EXPECT_LT(difference(fast, slow), 1e-5);  // angles are f32 here, f64 there
    const auto a = gradients({fast}, {q, k, v}), b = gradients({slow}, {q, k, v});
    for (size_t i = 0; i < 3; ++i) EXPECT_LT(difference(a[i], b[i]), 1e-4) << i;
  }
}

// Trees of lengths around the kernels' block sizes, interleaved.
PackedBatch wide_forest() {
  PackedBuilder b;
  const auto first = b.add(std::vector<int64_t>(130, 1));
  const auto second = b.add(std::vector<int64_t>(1, 1));
  const auto answer = b.add(std::vector<int64_t>(49, 1), first);
  b.add(std::vector<int64_t>(33, 1), second);
  b.add(std::vector<int64_t>(300, 1), first);
  b.add(std::vector<int64_t>(64, 1), answer);
  return b.build();
}

struct Shape {
  int64_t q_heads, kv_heads, width;
};

// The kernels of f32 and bf16 against the definition in f64, results and gradients, rotated.
void expect_equal_to_definition(const PackedBatch& batch, const Shape& shape, int64_t window,
                                at::ScalarType type, double tolerance) {
  const auto n = batch.tokens();
  const auto input = [&](int64_t heads, uint64_t seed) {
    return numbers({n, heads, shape.width}, seed).detach().to(type).requires_grad_();
  };
  const auto q = input(shape.q_heads, 0), k = input(shape.kv_heads, 1), v = input(shape.kv_heads, 2);
  const auto weight = numbers({n, shape.q_heads, shape.width}, 3).detach();
  TransformerConfig config;
  config.head_dim = shape.width;
  const auto table = rope_table(rope_frequencies(config, false), batch.positions);
  const auto plan = std::make_shared<const AttentionPlan>(plan_attention(batch, window));
  const auto fast = packed_attention(q, k, v, plan, {0.3, {}, table});
  EXPECT_EQ(fast.scalar_type(), type);
  (fast.to(at::kDouble) * weight).sum().backward();

  std::vector<Tensor> wide;
  for (const auto& t : {q, k, v}) wide.push_back(t.detach().to(at::kDouble).requires_grad_());
  const auto turned = [&](const Tensor& t) { return rope(t, batch.positions, config.rope_theta); };
  const auto slow =
      masked_attention(turned(wide[0]), turned(wide[1]), wide[2], visible_rows(batch, window), 0.3, {});
  (slow * weight).sum().backward();
  const auto relative = [](const Tensor& a, const Tensor& b) {
    return ((a.to(at::kDouble) - b).abs().max() / b.abs().max().clamp_min(1e-2)).item<double>();
  };
  EXPECT_LT(relative(fast, slow), tolerance);
  EXPECT_LT(relative(q.grad(), wide[0].grad()), tolerance) << "q";
  EXPECT_LT(relative(k.grad(), wide[1].grad()), tolerance) << "k";
  EXPECT_LT(relative(v.grad(), wide[2].grad()), tolerance) << "v";
}

TEST(PackedAttention, KernelsEqualTheDefinition) {
  for (const auto& shape : {Shape{9, 3, 64}, Shape{4, 1, 40}, Shape{2, 2, 6}}) {
    for (const int64_t window : {0, 1, 31, 32, 70, 260, 1000}) {
      SCOPED_TRACE(fmt::format("{} heads of {}, window {}", shape.q_heads, shape.width, window));
      expect_equal_to_definition(wide_forest(), shape, window, at::kFloat, 2e-5);
      expect_equal_to_definition(wide_forest(), shape, window, at::kBFloat16, 2e-2);
    }
  }
}

TEST(PackedAttention, DoesNotDependOnTheThreads) {
  const auto batch = wide_forest();
  const auto plan = std::make_shared<const AttentionPlan>(plan_attention(batch, 0));
  const auto input = [&](int64_t heads, uint64_t seed) {
    return numbers({batch.tokens(), heads, 32}, seed).detach().to(at::kFloat).requires_grad_();
  };
  std::vector<std::vector<Tensor>> results;
  const int threads = at::get_num_threads();
  for (const int n : {1, 2}) {
    at::set_num_threads(n);
    const auto q = input(6, 0), k = input(6, 1), v = input(6, 2);
    const auto out = packed_attention(q, k, v, plan, {0.3, {}, {}});
    out.sum().backward();
    results.push_back({out, q.grad(), k.grad(), v.grad()});
  }
  at::set_num_threads(threads);
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(results[0][i].equal(results[1][i])) << i;
}

TEST(PackedAttention, SpreadsNaN) {
  const auto batch = forest();
  const auto plan = std::make_shared<const AttentionPlan>(plan_attention(batch, 0));
  for (size_t which = 0; which < 3; ++which) {
    std::vector<Tensor> in;
    for (uint64_t i = 0; i < 3; ++i) in.push_back(numbers({batch.tokens(), 2, 6}, i).detach().to(at::kFloat));
    in[which][2][1].fill_(NAN);
    const auto out = packed_attention(in[0], in[1], in[2], plan, {0.3, {}, {}});
    EXPECT_TRUE(out.isnan().any().item<bool>()) << which;
  }
}

TEST(PlanAttention, RefusesABrokenForest) {
  auto batch = forest();
  batch.segments[1].parent = 1;
  EXPECT_THROW(plan_attention(batch, 0), UserError);
  batch = forest();
  batch.segments.pop_back();
  EXPECT_THROW(plan_attention(batch, 0), UserError);
}

}  // namespace
}  // namespace plaudit
