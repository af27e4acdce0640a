#include "plaudit/train/control_learner.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "plaudit/core/errors.h"

namespace plaudit {

void check_finite_loss(const std::string& method, const std::string& what, const at::Tensor& loss) {
  const double value = loss.item<double>();
  if (!std::isfinite(value))
    fail(
        ErrorKind::nan, "train." + method,
        fmt::format("the loss of the {} is {}: are the rewards and observations finite and of moderate size?",
                    what, value));
}

int control_threads(const std::vector<int64_t>& hidden) {
  const bool small = std::all_of(hidden.begin(), hidden.end(), [](int64_t n) { return n <= 128; });
  return small ? 1 : std::numeric_limits<int>::max();
}

std::unique_ptr<AdamW> adam_of(const std::string& name, const at::Tensor& tensor) {
  return std::make_unique<AdamW>(std::vector<Parameter>{{name, tensor}}, AdamWOptions{});
}

void add_computed(std::map<std::string, double>& metrics, const std::string& name, const at::Tensor& value) {
  if (value.defined()) metrics[name] = value.item<double>();
}

void add_state(std::vector<Parameter>& out, const std::string& prefix,
               const std::vector<Parameter>& tensors) {
  for (const auto& [name, tensor] : tensors) out.push_back({prefix + name, tensor.detach()});
}

}  // namespace plaudit
