#include "plaudit/train/adamw.h"

#include <ATen/ATen.h>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

bool is_low_precision(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kBFloat16 || tensor.scalar_type() == at::kHalf;
}

// Adds the gradient of `weight` to `sum` in f32 and forgets it.
void move_gradient(const at::Tensor& weight, at::Tensor& sum) {
  auto& gradient = weight.mutable_grad();
  if (!gradient.defined()) return;
  if (sum.defined())
    sum.add_(gradient);
  else
    sum = gradient.to(at::kFloat);
  gradient.reset();
}

}  // namespace

AdamW::AdamW(std::vector<Parameter> parameters, AdamWOptions options)
    : parameters_(std::move(parameters)), options_(options), sums_(parameters_.size()) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, weight] : parameters_) {
    if (!weight.is_leaf() || !weight.requires_grad())
      bug("train.adamw", name + " is not a leaf that requires a gradient");
    masters_.push_back(is_low_precision(weight) ? weight.to(at::kFloat) : weight.detach());
    means_.push_back(at::zeros_like(masters_.back()));
    squares_.push_back(at::zeros_like(masters_.back()));
  }
  const auto device = parameters_.empty() ? at::Device(at::kCPU) : parameters_.front().tensor.device();
  steps_ = at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(device));
}

void AdamW::collect() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (is_low_precision(parameters_[i].tensor)) move_gradient(parameters_[i].tensor, sums_[i]);
  }
}

std::vector<at::Tensor> AdamW::gradients() {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> out;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto& weight = parameters_[i].tensor;
    if (sums_[i].defined()) move_gradient(weight, sums_[i]);
    auto& gradient = sums_[i].defined() ? sums_[i] : weight.mutable_grad();
    if (!gradient.defined()) gradient = at::zeros_like(weight);
    out.push_back(gradient);
  }
  return out;
}

at::Tensor AdamW::gradient_norm() {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> norms;
  for (const auto& gradient : gradients()) {
    const auto type = is_low_precision(gradient) ? at::kFloat : gradient.scalar_type();
    norms.push_back(at::linalg_vector_norm(gradient, 2, {}, false, type).to(at::kDouble));
  }
  return at::linalg_vector_norm(at::stack(norms));
}

void AdamW::step(double learning_rate, double divisor) {
  const at::NoGradGuard no_grad;
  steps_.add_(1);
  const auto scale = at::full({}, divisor, steps_.options());
  const auto update = [&](std::vector<at::Tensor> masters, std::vector<at::Tensor> gradients,
                          std::vector<at::Tensor> means, std::vector<at::Tensor> squares) {
    const std::vector<at::Tensor> steps(masters.size(), steps_);
    at::_fused_adamw_(masters, gradients, means, squares, {}, steps, learning_rate, options_.beta1,
                      options_.beta2, options_.weight_decay, options_.eps, /*amsgrad=*/false,
                      /*maximize=*/false, scale);
  };
  std::vector<at::Tensor> masters, found, means, squares;
  const auto all = gradients();
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& weight = parameters_[i].tensor;
    if (is_low_precision(weight)) {
      // One at a time, so that only one gradient is held in f32.
      update({masters_[i]}, {all[i].to(at::kFloat)}, {means_[i]}, {squares_[i]});
      weight.detach().copy_(masters_[i]);
    } else {
      masters.push_back(masters_[i]);
      found.push_back(all[i]);
      means.push_back(means_[i]);
      squares.push_back(squares_[i]);
    }
  }
  if (!masters.empty()) update(masters, found, means, squares);
  clear();
}

void AdamW::clear() {
  for (const auto& parameter : parameters_) parameter.tensor.mutable_grad().reset();
  for (auto& sum : sums_) sum.reset();
}

std::vector<Parameter> AdamW::state() const {
  std::vector<Parameter> out = {{"adamw.steps", steps_}};
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, weight] = parameters_[i];
    out.push_back({"adamw.mean/" + name, means_[i]});
    out.push_back({"adamw.square/" + name, squares_[i]});
    if (is_low_precision(weight)) out.push_back({"adamw.master/" + name, masters_[i]});
  }
  return out;
}

void AdamW::restored() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (is_low_precision(parameters_[i].tensor)) parameters_[i].tensor.detach().copy_(masters_[i]);
  }
}

}  // namespace plaudit
