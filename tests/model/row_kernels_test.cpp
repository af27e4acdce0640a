#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "plaudit/model/fused_rows.h"
#include "plaudit/model/norm.h"
#include "plaudit/model/project.h"
#include "tests/model/support.h"

namespace plaudit {
namespace {

using at::Tensor;
using decode::supported_kernels;
using testing::numbers;

const std::vector<Activation> kActivations = {Activation::silu, Activation::gelu, Activation::gelu_tanh,
                                              Activation::quick_gelu};
const std::vector<at::ScalarType> kTypes = {at::kFloat, at::kBFloat16};

// Normal numbers as `type` holds them.
Tensor values(at::IntArrayRef sizes, int64_t stream, at::ScalarType type, double scale = 1) {
  return (numbers(sizes, stream, false) * scale).to(type);
}

Tensor exact(const Tensor& t) {
  return t.defined() ? t.to(at::kDouble) : t;
}

// f32: 1e-6 of the value, or of `unit`, the size of the terms whose sum it is. bf16: the rounding of such a
// value, which is one ulp at most from the rounded exact one.
::testing::AssertionResult near(const Tensor& found, const Tensor& expected, const Tensor& unit) {
  const double relative = found.scalar_type() == at::kFloat ? 1e-6 : 1.0 / 256;
  const auto error = (exact(found) - expected).abs();
  const auto excess = error - relative * expected.abs() - 1e-6 * unit.abs();
  if (found.sizes() != expected.sizes()) return ::testing::AssertionFailure() << "another shape";
  if (found.numel() == 0 || excess.max().item<double>() <= 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "off by " << error.max().item<double>();
}

// Widths around the sixteen lanes and the four chains of a sum.
const std::vector<std::pair<int64_t, int64_t>> kShapes = {{0, 8},  {1, 1},  {3, 15},   {2, 16},
                                                          {5, 33}, {7, 64}, {130, 67}, {3, 576}};

TEST(RowKernels, RmsNormEqualsPlainOperators) {
  for (const auto* set : supported_kernels()) {
    for (const auto& [n, width] : kShapes) {
      for (const auto x_type : kTypes) {
        for (const auto out : kTypes) {
          const auto x = values({n, width}, 0, x_type, 3), weight = values({width}, 1, at::kFloat);
          NormState state;
          const auto expected = norm_forward(exact(x), {exact(weight), {}, 1e-5, false}, at::kDouble, state);
          Tensor rstd;
          const auto y = fused_rms_norm(x, weight, 1e-5, out, rstd, *set);
          EXPECT_EQ(y.scalar_type(), out);
          EXPECT_TRUE(near(y, expected, expected)) << set->name << " " << n << "x" << width;
          EXPECT_TRUE(near(rstd, state.rstd, state.rstd)) << set->name << " " << n << "x" << width;
        }
      }
    }
  }
}

TEST(RowKernels, RmsNormBackwardEqualsPlainOperators) {
  for (const auto* set : supported_kernels()) {
    for (const auto& [n, width] : kShapes) {
      for (const auto x_type : kTypes) {
        for (const auto grad_type : kTypes) {
          const auto x = values({n, width}, 0, x_type, 3), weight = values({width}, 1, at::kFloat),
                     grad = values({n, width}, 2, grad_type);
          const Norm norm{exact(weight), {}, 1e-5, false};
          NormState state;
          norm_forward(exact(x), norm, at::kDouble, state);
          const auto expected = norm_backward(exact(grad), exact(x), norm, state, true);
          const auto rstd = state.rstd.to(at::kFloat);
          const auto [dx, dweight] = fused_rms_norm_backward(grad, x, weight, rstd, true, *set);
          // dx is a difference; the gradient of a weight sums over the rows.
          const auto normed = exact(x) * state.rstd;
          const auto dx_unit =
              (exact(grad) * norm.weight * state.rstd).abs() +
              (normed * state.rstd).abs() * (exact(grad) * norm.weight * normed).abs().mean(-1, true);
          EXPECT_EQ(dx.scalar_type(), x_type);
          EXPECT_TRUE(near(dx, expected.x, dx_unit)) << set->name << " " << n << "x" << width;
          EXPECT_TRUE(near(dweight, expected.weight, (exact(grad) * normed).abs().sum(0)))
              << set->name << " " << n << "x" << width;
          const auto alone = fused_rms_norm_backward(grad, x, weight, rstd, false, *set);
          EXPECT_TRUE(at::equal(alone.first, dx));
          EXPECT_FALSE(alone.second.defined());
        }
      }
    }
  }
}

TEST(RowKernels, GatesEqualPlainOperators) {
  for (const auto* set : supported_kernels()) {
    for (const auto activation : kActivations) {
      for (const auto type : kTypes) {
        for (const auto& [n, width] : kShapes) {
          const auto x = values({n, width}, 0, type, 4), up = values({n, width}, 1, type);
          for (const auto& u : {up, Tensor()}) {
            // The share of x that passes is within 1e-6.
            const auto unit = u.defined() ? exact(x) * exact(u) : exact(x);
            EXPECT_TRUE(near(fused_gate(x, u, activation, *set), gated(exact(x), exact(u), activation), unit))
                << set->name << static_cast<int>(activation) << " " << n << "x" << width;
          }
        }
      }
    }
  }
}

TEST(RowKernels, GateBackwardEqualsPlainOperators) {
  for (const auto* set : supported_kernels()) {
    for (const auto activation : kActivations) {
      for (const auto type : kTypes) {
        for (const auto& [n, width] : kShapes) {
          const auto x = values({n, width}, 0, type, 4), up = values({n, width}, 1, type),
                     grad = values({n, width}, 2, type);
          for (const auto& u : {up, Tensor()}) {
            const auto [dx, dup] = fused_gate_backward(grad, x, u, activation, *set);
            const auto [expected_dx, expected_dup] =
                gated_backward(exact(grad), exact(x), exact(u), activation);
            const auto scaled = u.defined() ? exact(grad) * exact(u) : exact(grad);
            EXPECT_TRUE(near(dx, expected_dx, scaled * (1 + exact(x).abs())))
                << set->name << static_cast<int>(activation) << " " << n << "x" << width;
            EXPECT_EQ(dup.defined(), u.defined());
            if (u.defined()) {
              EXPECT_TRUE(near(dup, expected_dup, exact(grad) * exact(x)))
                  << set->name << static_cast<int>(activation) << " " << n << "x" << width;
            }
          }
        }
      }
    }
  }
}

// Far from zero the activations are 0 and x, their derivatives 0 and 1; what is not a number stays so.
TEST(RowKernels, GatesAtTheEnds) {
  const auto x = at::tensor({-1e4, -100.0, 100.0, 1e4, std::nan("")}, at::kFloat);
  const auto one = at::ones_like(x);
  for (const auto* set : supported_kernels()) {
    for (const auto activation : kActivations) {
      const auto y = fused_gate(x, {}, activation, *set);
      const auto dx = fused_gate_backward(one, x, {}, activation, *set).first;
      EXPECT_TRUE(
          at::allclose(y, at::tensor({0.0, 0.0, 100.0, 1e4, std::nan("")}, at::kFloat), 1e-6, 1e-25, true))
          << set->name << static_cast<int>(activation) << y;
      EXPECT_TRUE(
          at::allclose(dx, at::tensor({0.0, 0.0, 1.0, 1.0, std::nan("")}, at::kFloat), 1e-6, 1e-25, true))
          << set->name << static_cast<int>(activation) << dx;
    }
  }
}

TEST(RowKernels, TakeRowsThatAreNotContiguous) {
  const auto wide = values({9, 40}, 0, at::kFloat), x = wide.narrow(1, 3, 21),
             up = wide.t().narrow(0, 0, 21).t();
  const auto weight = values({21}, 1, at::kFloat);
  Tensor rstd, rstd_copy;
  EXPECT_TRUE(at::equal(fused_rms_norm(x, weight, 1e-5, at::kFloat, rstd),
                        fused_rms_norm(x.clone(), weight, 1e-5, at::kFloat, rstd_copy)));
  EXPECT_TRUE(at::equal(fused_rms_norm_backward(up, x, weight, rstd, true).second,
                        fused_rms_norm_backward(up.clone(), x.clone(), weight, rstd, true).second));
  EXPECT_TRUE(
      at::equal(fused_gate(x, up, Activation::silu), fused_gate(x.clone(), up.clone(), Activation::silu)));
  EXPECT_TRUE(at::equal(fused_gate_backward(up, x, up, Activation::silu).first,
                        fused_gate_backward(up.clone(), x.clone(), up.clone(), Activation::silu).first));
}

TEST(RowKernels, ResultsDoNotDependOnThreads) {
  const auto x = values({700, 203}, 0, at::kFloat), grad = values({700, 203}, 1, at::kFloat),
             weight = values({203}, 2, at::kFloat);
  const auto everything = [&] {
    Tensor rstd;
    std::vector<Tensor> out = {fused_rms_norm(x, weight, 1e-5, at::kFloat, rstd), rstd};
    const auto norm = fused_rms_norm_backward(grad, x, weight, rstd, true);
    const auto gate = fused_gate_backward(grad, x, grad, Activation::gelu);
    out.insert(out.end(),
               {norm.first, norm.second, gate.first, gate.second, fused_gate(x, grad, Activation::silu)});
    return out;
  };
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto alone = everything();
  for (const int threads : {2, 3}) {
    at::set_num_threads(threads);
    const auto shared = everything();
    for (size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(at::equal(alone[i], shared[i])) << i;
  }
  at::set_num_threads(before);
}

// Gradients through project() in f32 and bf16, against the reference in f64 on the same rounded operands.
TEST(RowKernels, ProjectHasTheGradientsOfItsReference) {
  for (const auto type : kTypes) {
    const double tolerance = type == at::kFloat ? 2e-6 : 2e-2;
    const auto leaf = [&](at::IntArrayRef sizes, int64_t stream) {
      return values(sizes, stream, type).requires_grad_(true);
    };
    const auto x = leaf({13, 37}, 0), up = leaf({13, 37}, 1), scale = leaf({37}, 2), w = leaf({5, 37}, 3);
    const auto check = [&](const ProjectionInput& fast, const ProjectionInput& slow, const Tensor& slow_w,
                           const std::vector<Tensor>& leaves, const std::vector<Tensor>& slow_leaves) {
      const auto grads = testing::gradients(project(fast, {{w, {}, nullptr, {}}}, type), leaves);
      const auto expected =
          testing::gradients(project_reference(slow, {{slow_w, {}, nullptr, {}}}, at::kDouble), slow_leaves);
      for (size_t i = 0; i < grads.size(); ++i)
        EXPECT_LT(testing::difference(grads[i], expected[i]),
                  tolerance * std::max(1.0, expected[i].abs().max().item<double>()))
            << type << " " << i;
    };
    const auto twin = [](const Tensor& t) { return t.detach().to(at::kDouble).requires_grad_(true); };
    const auto x2 = twin(x), up2 = twin(up), scale2 = twin(scale), w2 = twin(w);
    for (const bool offset : {false, true})
      check({x, Norm{scale, {}, 1e-5, offset}, {}, {}}, {x2, Norm{scale2, {}, 1e-5, offset}, {}, {}}, w2,
            {x, scale, w}, {x2, scale2, w2});
    for (const auto activation : kActivations) {
      check({x, {}, activation, up}, {x2, {}, activation, up2}, w2, {x, up, w}, {x2, up2, w2});
      check({x, {}, activation, {}}, {x2, {}, activation, {}}, w2, {x, w}, {x2, w2});
    }
  }
}

}  // namespace
}  // namespace plaudit
