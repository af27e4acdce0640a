#include "plaudit/model/tanh_gaussian.h"

#include "plaudit/core/safetensors.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(TanhGaussianPolicy, SurvivesAFile) {
  const TemporaryFolder folder;
  const TanhGaussianPolicy policy(Mlp({3, 8, 8, 4}, 0, Rng(0, "policy")));
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
