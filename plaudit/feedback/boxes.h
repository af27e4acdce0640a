// Overlap of axis-parallel boxes (x1, y1, x2, y2) with x1 <= x2 and y1 <= y2.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// Shape [N,4] (kind shape), finite (kind nan), corners in order (kind value). May be empty.
void check_boxes(const Check& check, std::string_view argument, const Tensor& boxes);

// Intersection over union of every pair, [N,M], of boxes a [N,4] and b [M,4]. Boxes that only touch, and two
// boxes without area, have 0.
Tensor box_iou(const Tensor& a, const Tensor& b);

// IoU - (C - U)/C of row pairs, [N]: U the union, C the smallest box around both; 0 without any area.
// Rezatofighi et al., 2019, arXiv 1902.09630.
Tensor box_giou(const Tensor& a, const Tensor& b);

}  // namespace plaudit
