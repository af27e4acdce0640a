#include "plaudit/reward/image_rewards.h"

#include "plaudit/feedback/boxes.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// Random boxes with integer corners.
Tensor boxes(int64_t n) {
  const auto low = uniform({n, 2}, 0, 10).floor();
  return at::cat({low, low + uniform({n, 2}, 0, 6).floor()}, 1);
}

TEST(Boxes, OverlapIsSymmetricBoundedAndInvariant) {
  for_draws(300, [] {
    const auto a = boxes(4), b = boxes(4);
    const auto iou = box_iou(a, b);
    expect_close(iou, box_iou(b, a).t());
    expect_close(box_iou(a * 3 + 5, b * 3 + 5), iou);
    EXPECT_TRUE(iou.ge(0).logical_and(iou.le(1)).all().item<bool>());
    const auto giou = box_giou(a, b);
    EXPECT_TRUE(giou.le(iou.diagonal() + 1e-12).logical_and(giou.ge(-1)).all().item<bool>());
  });
}

TEST(Detection, RewardsAreBoundedAndPerfectAnswersEarnAll) {
  for_draws(200, [] {
    const auto p = integer(1, 6), g = integer(1, 4);
    const auto r = detection_reward(boxes(p), uniform({p}), boxes(g));
    EXPECT_GE(r.iou_reward, 0);
    EXPECT_LE(r.iou_reward, 1);
    EXPECT_GE(r.confidence_reward, 0);
    EXPECT_LE(r.confidence_reward, 1);
    const auto gold = at::tensor({0., 0., 2., 2., 5., 5., 9., 9.}, at::kDouble).view({2, 4});
    const auto perfect = detection_reward(gold.flip(0), at::ones({2}), gold);
    EXPECT_NEAR(perfect.iou_reward, 1, 1e-12);
    EXPECT_NEAR(perfect.confidence_reward, 1, 1e-12);
  });
}

TEST(ImageRewards, ErrorsNameTheArgument) {
  const auto box = at::tensor({0., 0., 1., 1.}, at::kDouble), many = box.unsqueeze(0);
  expect_error(ErrorKind::empty, "gold", [&] { detection_reward(many, at::ones({1}), at::empty({0})); });
  expect_error(ErrorKind::shape, "confidence", [&] { detection_reward(many, at::ones({2}), many); });
  expect_error(ErrorKind::value, "gold", [&] { grounding_reward(std::nullopt, box.flip(0)); });
  expect_error(ErrorKind::value, "mode", [] { classification_reward("", "", "exactly"); });
  EXPECT_EQ(classification_reward("<answer>_ </answer>", "rose", "contains"), 0);
}

}  // namespace
}  // namespace plaudit
