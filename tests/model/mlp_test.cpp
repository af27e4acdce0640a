#include "plaudit/model/mlp.h"

#include <torch/csrc/autograd/autograd.h>

#include "plaudit/model/mlp_pass.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Mlp, AnEnsembleIsItsMembers) {
  const Mlp ensemble({3, 5, 2}, 4, Rng(0, "mlp"));
  const auto x = normal({7, 3}).to(at::kFloat);
  const auto all = ensemble(x);
  ASSERT_EQ(all.sizes(), (std::vector<int64_t>{4, 7, 2}));
  const auto p = ensemble.parameters("net");
  for (int64_t m = 0; m < 4; ++m) {
    const auto hidden = (at::matmul(x, p[0].tensor[m]) + p[1].tensor[m]).relu();
    expect_close(all[m], at::matmul(hidden, p[2].tensor[m]) + p[3].tensor[m], 1e-5);
  }
}

TEST(Mlp, FrozenFollowsAndCopiesDoNot) {
  const Mlp net({2, 4, 1}, 0, Rng(1, "mlp"));
  const auto frozen = net.frozen(), copy = net.copy();
  const auto x = normal({3, 2}).to(at::kFloat), before = net(x).detach().clone();
  EXPECT_TRUE(net(x).requires_grad());
  EXPECT_FALSE(frozen(x).requires_grad());
  {
    const at::NoGradGuard no_grad;
    net.parameters("net")[0].tensor.add_(1);
  }
  expect_close(frozen(x), net(x).detach(), 0);
  expect_close(copy(x), before, 0);
  EXPECT_GT((frozen(x) - before).abs().max().item<float>(), 0);
}

TEST(Mlp, StartsAreBoundedByFan) {
  const Mlp plain({100, 50, 1}, 0, Rng(2, "mlp")), xavier({100, 50, 1}, 0, Rng(2, "mlp"), LinearInit::xavier);
  EXPECT_LE(plain.parameters("")[0].tensor.abs().max().item<float>(), 0.1F);
  EXPECT_GT(plain.parameters("")[1].tensor.abs().max().item<float>(), 0.05F);
  EXPECT_NEAR(xavier.parameters("")[0].tensor.abs().max().item<float>(), 0.2, 0.005);
  EXPECT_EQ(xavier.parameters("")[1].tensor.abs().max().item<float>(), 0);
}

// The readable twin of mlp_forward, whose gradients are autograd's.
Tensor plain_forward(const Tensor& x, const Tensor& flat, const std::vector<int64_t>& sizes,
                     int64_t members) {
  auto h = members > 0 && x.dim() == 2 ? x.unsqueeze(0).expand({members, -1, -1}) : x;
  int64_t at = 0;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    const int64_t in = sizes[i], out = sizes[i + 1], nets = std::max<int64_t>(members, 1);
    const auto take = [&](int64_t count) { return flat.narrow(0, (at += count) - count, count); };
    const auto weight = take(nets * in * out), bias = take(nets * out);
    if (i > 0) h = h.relu();
    h = members == 0 ? at::linear(h, weight.view({out, in}), bias)
                     : at::matmul(h, weight.view({members, in, out})) + bias.view({members, 1, out});
  }
  return h;
}

struct Passes {
  Tensor y, dx, dflat;
};
template <class F>
Passes passes(F forward, const Tensor& x, const Tensor& flat, bool of_x) {
  auto a = x.detach().clone().set_requires_grad(of_x), w = flat.detach().clone().set_requires_grad(true);
  const auto y = forward(a, w);
  (y * at::arange(y.numel(), y.options()).view(y.sizes()).sin()).sum().backward();
  return {y.detach(), of_x ? a.grad() : Tensor(), w.grad()};
}

TEST(MlpPass, IsAutogradsOwn) {
  const std::vector<int64_t> sizes = {5, 7, 6, 2};
  for (const int64_t members : {0, 1, 3}) {
    const auto flat = normal({mlp_count(sizes, members)});
    std::vector<Tensor> inputs = {normal({9, 5})};
    if (members == 0) inputs.push_back(normal({3, 4, 5}));
    if (members > 0) inputs.push_back(normal({members, 9, 5}));
    for (const auto& x : inputs)
      for (const bool of_x : {false, true}) {
        const auto fast =
            passes([&](auto& a, auto& w) { return mlp_forward(a, w, sizes, members); }, x, flat, of_x);
        const auto slow =
            passes([&](auto& a, auto& w) { return plain_forward(a, w, sizes, members); }, x, flat, of_x);
        expect_close(fast.y, slow.y, 1e-12);
        expect_close(fast.dflat, slow.dflat, 1e-12);
        if (of_x) expect_close(fast.dx, slow.dx, 1e-12);
        expect_close(mlp_forward(x, flat, sizes, members), slow.y, 1e-12);  // without a graph
      }
  }
}

TEST(MlpPass, FrozenWeightsPassTheGradientOn) {
  const Mlp net({4, 8, 1}, 2, Rng(3, "mlp"));
  auto x = normal({6, 4}).to(at::kFloat).set_requires_grad(true);
  net.frozen()(x).sum().backward();
  EXPECT_FALSE(net.flat().grad().defined());
  const auto slopes = net.input_gradient(x.detach(), 0);
  ASSERT_EQ(slopes.sizes(), (std::vector<int64_t>{2, 6, 4}));
  expect_close(slopes.detach().sum(0), x.grad(), 1e-5);
  expect_close(net.input_gradient(x.detach(), 3).detach(), slopes.detach().slice(2, 3), 0);
}

// The least of the members, and one of them: most rows have no gradient.
TEST(MlpPass, RowsWithoutAGradientMayBeLeftOut) {
  const std::vector<int64_t> sizes = {5, 7, 6, 1};
  const auto flat = normal({mlp_count(sizes, 3)}), at = normal({9, 5});
  for (const bool least : {true, false}) {
    const auto of = [&](const auto& forward) {
      auto x = at.clone().set_requires_grad(true);
      const auto y = forward(x, flat, sizes, 3).squeeze(2);
      (least ? y.amin(0) : y.select(0, 1).slice(0, 2, 5)).square().sum().backward();
      return x.grad();
    };
    expect_close(of(mlp_forward), of(plain_forward), 1e-12);
  }
}

// d/dw of a function of dQ/da, against autograd's second pass through the readable twin.
TEST(MlpPass, TheInputGradientHasItsOwn) {
  const std::vector<int64_t> sizes = {4, 6, 5, 1};
  const Mlp net(sizes, 2, Rng(4, "mlp"));
  const auto x = normal({3, 4}).to(at::kFloat);
  net.input_gradient(x, 2).square().sum().backward();

  const auto flat = net.flat().detach().clone().set_requires_grad(true);
  const auto seen = x.expand({2, 3, 4}).clone().set_requires_grad(true);
  const auto q = plain_forward(seen, flat, sizes, 2).sum();
  const auto slope =
      torch::autograd::grad({q}, {seen}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0].slice(2, 2);
  // Autograd leaves out the last bias, which no slope depends on.
  expect_close(net.flat().grad(), torch::autograd::grad({slope.square().sum()}, {flat})[0], 1e-5);
}

}  // namespace
}  // namespace plaudit
