// Rewards that a program can check on images: detection, grounding, classification.
//
// Source: Liu et al., "Visual-RFT", 2025, arXiv 2503.01785, section 3.
#pragma once

#include <optional>
#include <string>

#include "plaudit/core/checks.h"

namespace plaudit {

struct DetectionReward {
  double iou_reward;          // sum of matched IoU / max(P', G): recall counts
  double confidence_reward;   // mean of c where matched, 1 - c where not
  Tensor matched_iou;         // [P'] in order of confidence, 0 where not matched
  Tensor matched_confidence;  // [P']
};

// Predictions `boxes` [P,4] with `confidence` [P] in [0,1] against `gold` [G,4], G >= 1. Repeated boxes are
// dropped (P' are left); from high confidence to low, each takes the free gold box of largest IoU if that is
// above `threshold`. No prediction: both rewards 0.
DetectionReward detection_reward(const Tensor& boxes, const Tensor& confidence, const Tensor& gold,
                                 double threshold = 0.5);

// GIoU + 1 of two boxes [4], in (0, 2]; 0 for no box.
double grounding_reward(const std::optional<Tensor>& box, const Tensor& gold);

// 1 when the answer block of `text` names `gold`, blanks, underscores and letter case ignored. mode "exact":
// the same name; "contains": one contains the other (the rule of the official code; farmable). A missing or
// empty answer has 0.
double classification_reward(const std::string& text, const std::string& gold,
                             const std::string& mode = "exact");

}  // namespace plaudit
