#include "plaudit/train/preference_losses.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "plaudit/core/errors.h"
#include "plaudit/objective/preference_dpo.h"
#include "plaudit/objective/treg.h"
#include "plaudit/objective/vpo.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

PreferenceTerms terms() {
  const auto t = [](std::initializer_list<double> values) { return at::tensor(values, at::kDouble); };
  return {{t({-10, -12}).requires_grad_(), t({-11, -9}).requires_grad_(), t({-10.5, -11}), t({-10, -10})},
          t({4, 6}),
          t({5, 3}),
          t({1, 0}),
          t({0, 1}),
          t({-2, 1}),
          t({0.5, -1}),
          {t({-8, -9}), t({-3, -2}), t({-2, -4}), t({-9, -8})},
          {t({-8.5, -10}), t({-2, -3}), t({-3, -3}), t({-8, -8.5})}};
}

std::string refusal(const std::string& name, const PreferenceLossOptions& options) {
  try {
    find_preference_loss(name, options);
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "accepted";
}

TEST(PreferenceLosses, EveryLossFavoursTheChosenAnswer) {
  for (const auto& loss : preference_losses()) {
    const auto at_terms = terms();
    const auto value = loss.compute(at_terms, {});
    EXPECT_EQ(value.losses.sizes(), at::IntArrayRef({2})) << loss.name;
    EXPECT_FALSE(value.chosen_rewards.requires_grad()) << loss.name;
    value.losses.sum().backward();
    EXPECT_TRUE(at_terms.logps.chosen.grad().le(0).all().item<bool>()) << loss.name;
    EXPECT_TRUE(at_terms.logps.rejected.grad().ge(0).all().item<bool>()) << loss.name;
    EXPECT_TRUE(at_terms.logps.chosen.grad().lt(0).any().item<bool>()) << loss.name;
  }
}

TEST(PreferenceLosses, LossesWithoutReferenceIgnoreIt) {
  for (const auto& loss : preference_losses()) {
    auto other = terms();
    other.logps.ref_chosen = other.logps.ref_chosen + 1;
    const bool same = at::equal(loss.compute(terms(), {}).losses, loss.compute(other, {}).losses);
    EXPECT_EQ(same, !loss.needs_reference) << loss.name;
  }
}

TEST(PreferenceLosses, EverySettingThatALossNamesIsHonoured) {
  const PreferenceLossOptions other{.beta = 0.7,
                                    .label_smoothing = 0.3,
                                    .tau = 0.7,
                                    .margin = 3,
                                    .gamma_beta_ratio = 0.9,
                                    .lam = 0.7,
                                    .divergence = "alpha",
                                    .alpha = 0.9,
                                    .length_normalised = true,
                                    .value_weight = 0.7,
                                    .value_mode = "online",
                                    .token_reward_weight = 0.7,
                                    .base_loss = "simpo",
                                    .token_weighting = "static",
                                    .improve_weight = 0.9};
  const auto all = option_table<PreferenceLossOptions>().write(other);
  for (const auto& loss : preference_losses()) {
    for (const auto& key : loss.uses) {
      if (key == "better" || key == "worse" || key == "revise")
        continue;  // change what is read, not the loss
      // "alpha" matters only for its own divergence.
      YAML::Node node;
      if (key == "alpha") node["divergence"] = "alpha";
      if (key == "gamma_beta_ratio" && loss.name == "t-reg") node["base_loss"] = "simpo";
      // SRPO is the one loss that averages over tokens unless told otherwise.
      if (key == "length_normalised" && loss.name == "srpo") node[key] = false;
      auto before = read_options<PreferenceLossOptions>(node, {});
      node[key] = YAML::Load(all.at(key).dump());
      const auto after = read_options<PreferenceLossOptions>(node, {});
      EXPECT_FALSE(at::equal(loss.compute(terms(), before).losses, loss.compute(terms(), after).losses))
          << loss.name << " " << key;
    }
  }
}

TEST(PreferenceLosses, NamesAndUnusedSettingsAreChecked) {
  EXPECT_THAT(refusal("dop", {}), HasSubstr("did you mean 'dpo'"));
  EXPECT_EQ(refusal("ipo", {.beta = 0.1}),
            "train.beta: is not used by the loss ipo, which has: tau, length_normalised");
  EXPECT_EQ(refusal("dpo", {.beta = 0.1}), "accepted");
  EXPECT_EQ(refusal("t-reg", {.gamma_beta_ratio = 0.3}),
            "train.gamma_beta_ratio: is not used with base_loss dpo, only with simpo");
  EXPECT_EQ(refusal("t-reg", {.gamma_beta_ratio = 0.3, .base_loss = "simpo"}), "accepted");
  EXPECT_THROW(read_options<PreferenceLossOptions>(YAML::Load("{base_loss: ipo}"), {}), UserError);
  EXPECT_THROW(read_options<PreferenceLossOptions>(YAML::Load("{token_weighting: none}"), {}), UserError);
}

TEST(PreferenceLosses, DpoIsTheFunctionOfTheSameName) {
  const auto value = find_preference_loss("dpo", {}).compute(terms(), {.beta = 0.3});
  EXPECT_TRUE(at::equal(value.losses, dpo_loss(terms().logps, {.beta = 0.3}).losses));
}

TEST(PreferenceLosses, VpoIsTheFunctionOfTheSameName) {
  const auto& loss = find_preference_loss("vpo", {});
  const auto t = terms();
  const auto offline = loss.compute(t, {.beta = 0.3, .value_weight = 0.7});
  EXPECT_NEAR(
      offline.losses.mean().item<double>(),
      vpo_loss(t.logps, t.logps.chosen, t.logps.ref_chosen, {.beta = 0.3, .alpha = 0.7}).loss.item<double>(),
      1e-12);
  // One draw of the reference per pair: the chosen answer of the first, the rejected one of the second.
  const auto drawn = at::stack({t.logps.chosen[0], t.logps.rejected[1]}),
             ref = at::stack({t.logps.ref_chosen[0], t.logps.ref_rejected[1]});
  const auto online = loss.compute(t, {.beta = 0.3, .value_weight = 0.7, .value_mode = "online"});
  EXPECT_NEAR(
      online.losses.mean().item<double>(),
      vpo_loss(t.logps, drawn, ref, {.beta = 0.3, .alpha = 0.7, .mode = "online"}).loss.item<double>(),
      1e-12);
}

TEST(PreferenceLosses, TRegIsTheFunctionOfTheSameName) {
  const auto numbers = [](std::initializer_list<double> values) {
    return at::tensor(values, at::kDouble).view({2, 3});
  };
  const auto mask = numbers({1, 1, 1, 1, 1, 0});
  const auto logps_w = numbers({-1, -2, -0.5, -3, -1, 0}).requires_grad_(),
             logps_l = numbers({-2, -2, -1, -1, -1, 0}).requires_grad_();
  const auto ref_w = numbers({-1.5, -2, -1, -2, -2, 0}), ref_l = numbers({-1, -2, -2, -1, -0.5, 0});
  const auto rewards_w = numbers({0.3, -0.1, 0.2, 0.4, -0.4, 0}),
             rewards_l = numbers({-0.2, 0.1, 0, -0.3, 0.1, 0});
  const auto sum = [&](const at::Tensor& logps) { return (logps * mask).sum(1); };
  for (const std::string base : {"dpo", "simpo"}) {
    for (const std::string weighting : {"sequence", "static"}) {
      TregOptions options{.beta = 0.3, .alpha = 0.7, .base = base, .weighting = weighting};
      PreferenceLossOptions settings{
          .beta = 0.3, .token_reward_weight = 0.7, .base_loss = base, .token_weighting = weighting};
      if (base == "simpo") options.gamma_beta_ratio = settings.gamma_beta_ratio.emplace(0.9);
      const auto expected =
          treg_loss({logps_w, ref_w, mask, rewards_w}, {logps_l, ref_l, mask, rewards_l}, options);
      PreferenceTerms t{{sum(logps_w), sum(logps_l), sum(ref_w), sum(ref_l)}, mask.sum(1), mask.sum(1)};
      t.chosen_credit = (rewards_w * logps_w).sum(1);
      t.rejected_credit = (rewards_l * logps_l).sum(1);
      const auto& loss = find_preference_loss("t-reg", settings);
      EXPECT_EQ(loss.uses_reference(settings), base == "dpo");
      const auto value = loss.compute(t, settings);
      EXPECT_TRUE(at::allclose(value.losses, expected.losses, 1e-10, 1e-12)) << base << weighting;
      const auto gradients = torch::autograd::grad({value.losses.mean()}, {logps_w, logps_l}),
                 want = torch::autograd::grad({expected.loss}, {logps_w, logps_l});
      for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(at::allclose(gradients[i], want[i], 1e-10, 1e-12));
    }
  }
}

TEST(PreferenceLosses, SrpoIsTheFunctionOfTheSameName) {
  const auto& loss = find_preference_loss("srpo", {});
  const auto t = terms();
  const auto value = loss.compute(t, {.beta = 0.3, .length_normalised = false, .improve_weight = 0.7});
  EXPECT_TRUE(at::equal(value.losses,
                        srpo_loss(t.logps, t.revision, t.ref_revision, {.beta = 0.3, .alpha = 0.7}).losses));
}

TEST(PreferenceLosses, AMixOfBothOrdersHasTheGradientOfSrposOwnLabel) {
  const auto t = terms();
  const auto& loss = find_preference_loss("srpo", {});
  const PreferenceLossOptions settings{.beta = 0.3, .length_normalised = false};
  const double p = 0.7;
  const auto mixed =
      p * loss.compute(t, settings).losses + (1 - p) * loss.compute(swapped(t), settings).losses;
  const auto own =
      srpo_loss(t.logps, t.revision, t.ref_revision, {.label = at::full({2}, p, at::kDouble), .beta = 0.3})
          .losses;
  const auto a = torch::autograd::grad({mixed.sum()}, {t.logps.chosen, t.logps.rejected}),
             b = torch::autograd::grad({own.sum()}, {t.logps.chosen, t.logps.rejected});
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(at::allclose(a[i], b[i], 1e-10, 1e-12));
}

TEST(PreferenceLosses, TheFunctionOfAllLossesIsWhatTheTrainerComputes) {
  for (const auto& loss : preference_losses()) {
    if (loss.extras != PairExtras::none) continue;
    EXPECT_TRUE(at::equal(pair_loss(loss.name, terms(), "{}").losses, loss.compute(terms(), {}).losses))
        << loss.name;
  }
  EXPECT_TRUE(at::equal(pair_loss("dpo", terms(), R"({"beta": 0.3})").losses,
                        dpo_loss(terms().logps, {.beta = 0.3}).losses));
}

TEST(PreferenceLosses, TheFunctionOfAllLossesChecksWhatItIsGiven) {
  const auto refused = [](const std::string& name, const PreferenceTerms& at_terms,
                          const std::string& settings) -> std::string {
    try {
      pair_loss(name, at_terms, settings);
    } catch (const UserError& error) {
      return message_of(error);
    }
    return "accepted";
  };
  for (const auto& loss : preference_losses()) {
    for (const auto& key : loss.uses) {
      if (key != "beta" && key != "tau") continue;
      EXPECT_THAT(refused(loss.name, terms(), "{" + key + ": 0}"), HasSubstr("> 0")) << loss.name;
    }
  }
  EXPECT_THAT(refused("vpo", terms(), "{}"), HasSubstr("needs more of a pair"));
  EXPECT_THAT(refused("dpo", terms(), "{betta: 1}"), HasSubstr("beta"));
  EXPECT_THAT(refused("dpo", terms(), "{beta: ["), HasSubstr("settings must be a JSON object"));
  EXPECT_THAT(refused("ipo", terms(), "{beta: 1}"), HasSubstr("is not used by the loss ipo"));
  auto bad = terms();
  bad.rejected_lengths = at::zeros({2});
  EXPECT_THAT(refused("simpo", bad, "{}"), HasSubstr("rejected_lengths"));
  bad = terms();
  bad.logps.chosen = at::full({2}, std::nan(""));
  EXPECT_THAT(refused("slic", bad, "{}"), HasSubstr("chosen_logps"));
}

// |h| of several thousand occurs: losses and gradients stay finite.
TEST(PreferenceLosses, LargeMarginsStayFinite) {
  for (const auto& loss : preference_losses()) {
    for (const double h : {3000.0, -3000.0}) {
      auto far = terms();
      far.logps.chosen = at::tensor({-4000 + h, -4000 + h}, at::kDouble).requires_grad_();
      far.logps.rejected = at::tensor({-4000.0, -4000.0}, at::kDouble).requires_grad_();
      const auto losses = loss.compute(far, {}).losses;
      losses.sum().backward();
      EXPECT_TRUE(at::isfinite(losses).all().item<bool>()) << loss.name;
      EXPECT_TRUE(at::isfinite(far.logps.chosen.grad()).all().item<bool>()) << loss.name;
    }
  }
}

}  // namespace
}  // namespace plaudit
