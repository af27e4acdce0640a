#include "plaudit/reward/image_rewards.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"
#include "plaudit/feedback/answer_tags.h"
#include "plaudit/feedback/boxes.h"
#include "plaudit/feedback/letters.h"

namespace plaudit {
namespace {

// The rows to keep: the first of equal boxes, by confidence from high to low, stable.
std::vector<int64_t> ordered_rows(const Tensor& boxes, const Tensor& confidence) {
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < boxes.size(0); ++i) {
    const bool seen =
        std::any_of(rows.begin(), rows.end(), [&](int64_t j) { return boxes[i].equal(boxes[j]); });
    if (!seen) rows.push_back(i);
  }
  const auto c = confidence.const_data_ptr<double>();
  std::stable_sort(rows.begin(), rows.end(), [&](int64_t i, int64_t j) { return c[i] > c[j]; });
  return rows;
}

// Blanks and underscores dropped, lower case.
std::string bare_name(const std::string& text) {
  std::string out;
  for (const char c : lower_case(text)) {
    if (c != ' ' && c != '_') out.push_back(c);
  }
  return out;
}

}  // namespace

DetectionReward detection_reward(const Tensor& raw_boxes, const Tensor& raw_confidence, const Tensor& gold,
                                 double threshold) {
  const Check check("reward.detection");
  check.not_empty("gold", gold);
  check_boxes(check, "gold", gold);
  check_boxes(check, "boxes", raw_boxes);
  const auto boxes = raw_boxes.to(at::kCPU, at::kDouble).reshape({-1, 4}).contiguous();
  check_sizes(check, {{"boxes", boxes, "PC"}, {"confidence", raw_confidence, "P"}});
  check.finite("confidence", raw_confidence);
  check.range("confidence", raw_confidence, 0, 1);
  const auto none = at::empty({0}, at::kDouble);
  if (boxes.size(0) == 0) return {0, 0, none, none};

  const auto confidence = on_cpu_f64(raw_confidence);
  const auto rows = ordered_rows(boxes, confidence);
  auto iou = box_iou(boxes, gold.to(at::kCPU)).contiguous();
  std::vector<double> matched, sure;
  double confidence_sum = 0;
  for (const auto row : rows) {
    const auto best = iou[row].argmax().item<int64_t>();
    double overlap = iou[row][best].item<double>();
    if (overlap > threshold) {
      iou.select(1, best).fill_(-1);  // taken
    } else {
      overlap = 0;
    }
    matched.push_back(overlap);
    sure.push_back(confidence[row].item<double>());
    confidence_sum += overlap > 0 ? sure.back() : 1 - sure.back();
  }
  const auto kept = static_cast<double>(rows.size());
  const double iou_sum = std::accumulate(matched.begin(), matched.end(), 0.0);
  return {std::clamp(iou_sum / std::max(kept, static_cast<double>(gold.size(0))), 0.0, 1.0),
          std::clamp(confidence_sum / kept, 0.0, 1.0), at::tensor(matched, at::kDouble),
          at::tensor(sure, at::kDouble)};
}

double grounding_reward(const std::optional<Tensor>& box, const Tensor& gold) {
  const Check check("reward.grounding");
  check.not_empty("gold", gold);
  check.shape("gold", gold, {4});
  check_boxes(check, "gold", gold.unsqueeze(0));
  if (!box) return 0;
  check.not_empty("box", *box);
  check.shape("box", *box, {4});
  check_boxes(check, "box", box->unsqueeze(0));
  return box_giou(as_real(*box).to(at::kDouble).unsqueeze(0), as_real(gold).to(at::kDouble).unsqueeze(0))
             .item<double>() +
         1;
}

double classification_reward(const std::string& text, const std::string& gold, const std::string& mode) {
  const Check check("reward.classification");
  check.choice("mode", mode, {"exact", "contains"});
  const auto answer = extract_answer(text);
  if (!answer) return 0;
  const auto said = bare_name(*answer), wanted = bare_name(gold);
  if (said.empty()) return 0;
  if (mode == "exact") return said == wanted;
  return said.find(wanted) != std::string::npos || wanted.find(said) != std::string::npos;
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "detection(Tensor boxes, Tensor confidence, Tensor gold, float threshold=0.5) -> (float iou_reward, "
      "float "
      "confidence_reward, Tensor matched_iou, Tensor matched_confidence)",
      [](const Tensor& boxes, const Tensor& confidence, const Tensor& gold, double threshold) {
        return as_tuple(detection_reward(boxes, confidence, gold, threshold));
      },
      "IoU and confidence rewards of detected boxes.", {"54"});
  m.def("grounding(Tensor? box, Tensor gold) -> (float reward)",
        [](const std::optional<Tensor>& box, const Tensor& gold) { return grounding_reward(box, gold); },
        "GIoU + 1 of a grounded box, 0 for none.", {"54"});
  m.def("classification(str text, str gold, str mode='exact') -> (float reward)", &classification_reward,
        "1 when the answer names the class.", {"54"});
}

}  // namespace plaudit
