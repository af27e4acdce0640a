#include "plaudit/model/attention.h"

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
  auto visible = at::zeros({batch.tokens(), batch.tokens()}, at::kBool);
  for (const auto& s : batch.segments) {
    for (const Segment* above = &s;; above = &batch.segments[static_cast<size_t>(above->parent)]) {
      for (int64_t i = s.begin; i < s.end; ++i) {
        for (int64_t j = above->begin; j < above->end; ++j) {
          const auto apart = (batch.positions[i] - batch.positions[j]).item<int64_t>();
          visible[i][j] = apart >= 0 && (window == 0 || apart < window);
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
