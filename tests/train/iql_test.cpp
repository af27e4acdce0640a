#include "plaudit/train/iql.h"

#include "plaudit/core/safetensors.h"
#include "plaudit/train/td3_bc.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

using Tensors = std::map<std::string, at::Tensor>;

Tensors named(const ControlLearner& learner) {
  Tensors out;
  for (const auto& [name, tensor] : learner.state()) out[name] = tensor;
  return out;
}

// Puts the weights of data/iql_reference.py, torch.nn.Sequential's, into a learner with two hidden layers.
void load_reference(const Tensors& from, const std::string& variant, int64_t critics,
                    ControlLearner& learner) {
  const at::NoGradGuard no_grad;
  const auto to = named(learner);
  for (int64_t layer = 0; layer < 3; ++layer)
    for (const std::string part : {"weight", "bias"}) {
      const auto source = [&](const std::string& net) {
        return from.at(fmt::format("{}/{}.{}.{}", variant, net, 2 * layer, part));
      };
      const auto name = fmt::format(".{}.{}", layer, part);
      to.at("value" + name).copy_(source("value"));
      to.at("actor.encoder" + name).copy_(source("policy"));
      for (int64_t j = 0; j < critics; ++j) {
        const auto w = source(fmt::format("critic{}", j));
        for (const std::string net : {"critic", "target_critic"})
          to.at(net + name)[j].copy_(part == "weight" ? w.t() : w.unsqueeze(0));
      }
    }
}

// 20 updates of plain PyTorch (data/iql_reference.py), from equal weights on equal batches.
TEST(Iql, LossesAreThoseOfPlainPyTorch) {
  const auto reference = load_safetensors("tests/train/data/iql-updates.safetensors").tensors;
  for (const std::string variant : {"deterministic", "gaussian", "robust"}) {
    IqlOptions options{.gamma = 0.97, .tau = 0.01};
    options.policy = {.policy = variant == "gaussian" ? "gaussian" : "deterministic",
                      .hidden = {16, 16},
                      .learning_rate = 1e-3};
    if (variant == "robust") {
      options.critics = 5;
      options.quantile = 0.25;
      options.huber_sigma = 3;
      options.target_min = -2;
      options.target_max = 2;
    }
    IqlLearner learner(3, 2, options, 40, Rng(0, "weights"));
    load_reference(reference, variant, options.critics, learner);
    const auto losses = reference.at(variant + "/losses");
    Rng rng(0, "unused");
    for (int64_t i = 0; i < losses.size(0); ++i) {
      const auto row = [&](const char* name) { return reference.at(name)[i]; };
      learner.update({row("observations"),
                      {},
                      row("actions"),
                      row("rewards"),
                      row("next_observations"),
                      row("terminals")},
                     i + 1, rng);
      const auto m = learner.metrics();
      EXPECT_NEAR(m.at("value_loss"), losses[i][0].item<double>(), 5e-5) << variant << " update " << i;
      EXPECT_NEAR(m.at("critic_loss"), losses[i][1].item<double>(), 5e-5) << variant << " update " << i;
      EXPECT_NEAR(m.at("actor_loss"), losses[i][2].item<double>(), 5e-5) << variant << " update " << i;
    }
  }
}

ReplayBatch drawn(int64_t rows) {
  const auto f32 = [](at::IntArrayRef sizes) { return normal(sizes).to(at::kFloat); };
  return {
      f32({rows, 3}), {}, f32({rows, 2}).tanh(), f32({rows}), f32({rows, 3}), at::zeros({rows}, at::kFloat)};
}

TEST(Iql, ALossThatIsNotFiniteChangesNothing) {
  IqlOptions options;
  options.policy.hidden = {8};
  IqlLearner learner(3, 2, options, 10, Rng(0, "weights"));
  auto batch = drawn(4);
  batch.observations[1][2] = std::nanf("");
  const auto before = learner.state()[0].tensor.clone();
  Rng rng(0, "noise");
  expect_error(ErrorKind::nan, "diff", [&] { learner.update(batch, 1, rng); });
  batch = drawn(4);
  batch.rewards = batch.rewards * 1e30F;
  expect_error(ErrorKind::nan, "critics", [&] { learner.update(batch, 1, rng); });
  expect_close(learner.state()[0].tensor, before, 0);
}

// Without a value to follow, the weights are all 1: IQL is cloning.
TEST(Iql, BetaZeroIsCloning) {
  IqlOptions options{.beta = 0};
  options.policy.hidden = {8, 8};
  IqlLearner iql(3, 2, options, 10, Rng(0, "weights"));
  CloningLearner cloning(3, 2, options.policy, 10, Rng(0, "weights"));
  Rng rng(0, "noise");
  for (int64_t step = 1; step <= 5; ++step) {
    const auto batch = drawn(6);
    iql.update(batch, step, rng);
    cloning.update(batch, step, rng);
    EXPECT_EQ(iql.metrics().at("actor_loss"), cloning.metrics().at("actor_loss"));
  }
  const auto s = drawn(3).observations;
  expect_close(iql.actor().act(s, {}), cloning.actor().act(s, {}), 0);
}

// With a rate that moves nothing, the losses are those of the equations at the first weights.
TEST(Td3Bc, LossesFollowTheEquations) {
  Td3BcOptions options{.alpha = 2.5, .learning_rate = 1e-30, .hidden = {8, 8}};
  Td3BcLearner learner(3, 2, options, Rng(0, "weights"));
  const auto batch = drawn(6);
  Rng rng(0, "noise"), again(0, "noise");
  learner.update(batch, 1, rng);  // critics alone
  EXPECT_EQ(learner.metrics().count("actor_loss"), 0u);
  const auto weights = named(learner);
  const auto net = [&](const std::string& name, at::Tensor h) {
    for (int64_t layer = 0; layer < 3; ++layer) {
      const auto part = [&](const char* kind) {
        return weights.at(fmt::format("{}.{}.{}", name, layer, kind));
      };
      if (layer > 0) h = h.relu();
      h = name == "actor.encoder" ? at::linear(h, part("weight"), part("bias"))
                                  : at::matmul(h, part("weight")) + part("bias");
    }
    return h;
  };
  const auto critics = [&](const at::Tensor& s, const at::Tensor& a) {
    return net("critic", at::cat({s, a}, 1)).squeeze(2);
  };
  const auto noise = (0.2 * again.normal_tensor({6, 2})).clamp(-0.5, 0.5);
  const auto next = (net("actor.encoder", batch.next_observations).tanh() + noise).clamp(-1, 1);
  const auto y = batch.rewards + 0.99 * std::get<0>(critics(batch.next_observations, next).min(0));
  const auto q = critics(batch.observations, batch.actions);
  EXPECT_NEAR(learner.metrics().at("critic_loss"), (q - y).square().mean(1).sum().item<double>(), 1e-5);

  learner.update(batch, 2, rng);
  const auto pi = net("actor.encoder", batch.observations).tanh();
  const auto q1 = critics(batch.observations, pi)[0];
  const auto loss = -2.5 / q1.abs().mean() * q1.mean() + (pi - batch.actions).square().mean();
  EXPECT_NEAR(learner.metrics().at("actor_loss"), loss.item<double>(), 1e-5);
}

}  // namespace
}  // namespace plaudit
