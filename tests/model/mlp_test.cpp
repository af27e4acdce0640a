#include "plaudit/model/mlp.h"

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

}  // namespace
}  // namespace plaudit
