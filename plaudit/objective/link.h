// Links: what a preference loss charges for a margin.
//
// Nearly every preference loss is link(margin), where the margin says by how much the model prefers the
// better answer (log-ratios in DPO, rewards in Bradley-Terry, per-token averages in SimPO) and the link falls
// with it. All links are elementwise, keep the dtype and are exact for margins of any finite size.
#pragma once

#include <ATen/core/Tensor.h>

namespace plaudit {

// -(1-a) log sigma(m) - a log sigma(-m): logistic regression on labels that are wrong with probability a.
// `smoothing` is one number or a tensor that broadcasts against `margin`.
at::Tensor logistic_link(const at::Tensor& margin, double smoothing = 0);
at::Tensor logistic_link(const at::Tensor& margin, const at::Tensor& smoothing);

// [-(1-a) log sigma(m) + a log sigma(-m)] / (1 - 2a): its mean over labels flipped with probability a is the
// logistic link on clean labels; a in [0, 1/2). Unbounded below.
at::Tensor unbiased_logistic_link(const at::Tensor& margin, double flip_rate);

// max(0, width - m)
at::Tensor hinge_link(const at::Tensor& margin, double width);

// (m - target)^2
at::Tensor square_link(const at::Tensor& margin, double target);

}  // namespace plaudit
