// Wrong labels on purpose, for studies of what noise does.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// 1 - label where uniforms < rate, else the label; `labels` in [0,1] and `uniforms` in [0,1], both [B]; rate
// in [0,1]. Integer labels stay integers. UserErrors: empty, shape, nan, value.
Tensor flip_labels(const Tensor& labels, const Tensor& uniforms, double rate = 0.25);

}  // namespace plaudit
