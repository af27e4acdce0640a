#include "plaudit/model/mlp.h"

#include "plaudit/core/safetensors.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Mlp, MembersAreTheSameAsOneByOne) {
  Rng rng(0, "mlp");
  const auto many = Mlp::random({5, 7, 7, 3}, rng, 4);
  EXPECT_EQ(many.members(), 4);
  const auto x = at::randn({6, 5});
  const auto y = many.forward(x);
  const auto parameters = many.parameters();
  for (int64_t k = 0; k < 4; ++k) {
    std::vector<Tensor> weights, biases;
    for (size_t i = 0; i < parameters.size(); i += 2) {
      weights.push_back(parameters[i][k]);
      biases.push_back(parameters[i + 1][k]);
    }
    expect_close(y[k], Mlp(weights, biases).forward(x), 1e-5);
  }
}

TEST(Mlp, BeginsAsLinearLayersDo) {
  Rng rng(0, "mlp");
  const auto mlp = Mlp::random({100, 400, 2}, rng);
  EXPECT_EQ(mlp.input_size(), 100);
  EXPECT_EQ(mlp.output_size(), 2);
  const auto weight = mlp.parameters()[0];
  EXPECT_LE(weight.abs().max().item<double>(), 0.1);
  EXPECT_NEAR(weight.std().item<double>(), 0.1 / std::sqrt(3), 1e-3);
}

TEST(TanhGaussianPolicy, SurvivesAFile) {
  const TemporaryFolder folder;
  Rng rng(0, "policy");
  const TanhGaussianPolicy policy(Mlp::random({3, 8, 8, 4}, rng));
  save_tanh_gaussian_policy(folder / "actor.safetensors", policy);
  const auto again = load_tanh_gaussian_policy(folder / "actor.safetensors");
  EXPECT_EQ(again.observation_size(), 3);
  EXPECT_EQ(again.action_size(), 2);
  const auto o = at::randn({5, 3});
  EXPECT_TRUE(at::equal(policy.act(o), again.act(o)));
  EXPECT_TRUE(at::equal(policy.heads(o).log_std, again.heads(o).log_std));
}

TEST(TanhGaussianPolicy, FilesThatDoNotFitAreNamed) {
  const TemporaryFolder folder;
  const auto path = folder / "actor.safetensors";
  std::map<std::string, Tensor> tensors = {{"actor.latent_pi.0.weight", at::zeros({8, 3})},
                                           {"actor.latent_pi.0.bias", at::zeros({8})},
                                           {"actor.mu.weight", at::zeros({2, 7})},
                                           {"actor.mu.bias", at::zeros({2})}};
  save_safetensors(path, tensors);
  expect_error(ErrorKind::shape, "actor.mu must be [out,8]", [&] { load_tanh_gaussian_policy(path); });
  tensors["actor.mu.weight"] = at::zeros({2, 8});
  save_safetensors(path, tensors);
  expect_error(ErrorKind::type, "actor.log_std.weight", [&] { load_tanh_gaussian_policy(path); });
}

}  // namespace
}  // namespace plaudit
