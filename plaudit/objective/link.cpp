#include "plaudit/objective/link.h"

#include <ATen/ATen.h>

namespace plaudit {

using at::Tensor;

Tensor logistic_link(const Tensor& margin, double smoothing) {
  if (smoothing == 0) return -at::log_sigmoid(margin);
  return -(1 - smoothing) * at::log_sigmoid(margin) - smoothing * at::log_sigmoid(-margin);
}

Tensor logistic_link(const Tensor& margin, const Tensor& smoothing) {
  return -(1 - smoothing) * at::log_sigmoid(margin) - smoothing * at::log_sigmoid(-margin);
}

Tensor unbiased_logistic_link(const Tensor& margin, double flip_rate) {
  return (-(1 - flip_rate) * at::log_sigmoid(margin) + flip_rate * at::log_sigmoid(-margin)) /
         (1 - 2 * flip_rate);
}

Tensor hinge_link(const Tensor& margin, double width) {
  return at::relu(width - margin);
}

Tensor square_link(const Tensor& margin, double target) {
  return (margin - target).square();
}

}  // namespace plaudit
