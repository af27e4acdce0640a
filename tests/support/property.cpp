#include "tests/support/property.h"

#include <torch/csrc/autograd/autograd.h>

namespace plaudit::testing {

void for_draws(int count, const std::function<void()>& body) {
  for (int seed = 0; seed < count; ++seed) {
    SCOPED_TRACE("draw " + std::to_string(seed));
    at::manual_seed(static_cast<uint64_t>(seed));
    body();
    if (::testing::Test::HasFailure()) return;
  }
}

Tensor normal(at::IntArrayRef sizes, double scale) {
  return at::randn(sizes, at::kDouble) * scale;
}

Tensor uniform(at::IntArrayRef sizes, double low, double high) {
  return at::rand(sizes, at::kDouble) * (high - low) + low;
}

int64_t integer(int64_t low, int64_t high) {
  return at::randint(low, high + 1, {1}, at::kLong).item<int64_t>();
}

Tensor random_mask(int64_t rows, int64_t columns) {
  const auto lengths = at::randint(1, columns + 1, {rows, 1}, at::kLong);
  return at::arange(columns, at::kLong).unsqueeze(0).lt(lengths).to(at::kLong);
}

void expect_close(const Tensor& actual, const Tensor& expected, double tolerance) {
  ASSERT_EQ(actual.sizes(), expected.sizes());
  const auto a = actual.detach().to(at::kDouble), b = expected.detach().to(at::kDouble);
  const auto error = ((a - b).abs() / b.abs().clamp_min(1)).max();
  EXPECT_LE(error.item<double>(), tolerance) << "actual\n" << a << "\nexpected\n" << b;
}

std::vector<Tensor> gradients(const ScalarFunction& f, std::vector<Tensor> inputs) {
  for (auto& input : inputs) input = input.detach().clone().set_requires_grad(true);
  auto grads = torch::autograd::grad({f(inputs)}, inputs, {}, std::nullopt, false, /*allow_unused=*/true);
  for (size_t i = 0; i < grads.size(); ++i) {
    if (!grads[i].defined()) grads[i] = at::zeros_like(inputs[i]);
  }
  return grads;
}

void expect_gradient(const ScalarFunction& f, std::vector<Tensor> inputs, double tolerance) {
  const auto exact = gradients(f, inputs);
  for (auto& input : inputs) input = input.detach().clone().contiguous();
  constexpr double step = 1e-6;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto numeric = at::zeros_like(inputs[i]);
    auto* x = inputs[i].data_ptr<double>();
    for (int64_t j = 0; j < inputs[i].numel(); ++j) {
      const double at = x[j];
      x[j] = at + step;
      const double above = f(inputs).item<double>();
      x[j] = at - step;
      const double below = f(inputs).item<double>();
      x[j] = at;
      numeric.data_ptr<double>()[j] = (above - below) / (2 * step);
    }
    SCOPED_TRACE("gradient of input " + std::to_string(i));
    expect_close(exact[i], numeric, tolerance);
  }
}

void expect_error(ErrorKind kind, const std::string& argument, const std::function<void()>& call) {
  try {
    call();
    ADD_FAILURE() << "expected an error of kind " << to_string(kind) << " that names " << argument;
  } catch (const UserError& error) {
    EXPECT_EQ(to_string(error.kind()), to_string(kind)) << message_of(error);
    EXPECT_NE(message_of(error).find(argument), std::string::npos) << message_of(error);
  }
}

}  // namespace plaudit::testing
