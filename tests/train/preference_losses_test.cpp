#include "plaudit/train/preference_losses.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/objective/preference_dpo.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

PreferenceTerms terms() {
  const auto t = [](std::initializer_list<double> values) { return at::tensor(values, at::kDouble); };
  return {{t({-10, -12}).requires_grad_(), t({-11, -9}).requires_grad_(), t({-10.5, -11}), t({-10, -10})},
          t({4, 6}),
          t({5, 3})};
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
                                    .length_normalised = true};
  const auto all = option_table<PreferenceLossOptions>().write(other);
  for (const auto& loss : preference_losses()) {
    for (const auto& key : loss.uses) {
      // "alpha" matters only for its own divergence.
      YAML::Node node;
      if (key == "alpha") node["divergence"] = "alpha";
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
}

TEST(PreferenceLosses, DpoIsTheFunctionOfTheSameName) {
  const auto value = find_preference_loss("dpo", {}).compute(terms(), {.beta = 0.3});
  EXPECT_TRUE(at::equal(value.losses, dpo_loss(terms().logps, {.beta = 0.3}).losses));
}

TEST(PreferenceLosses, TheFunctionOfAllLossesIsWhatTheTrainerComputes) {
  for (const auto& loss : preference_losses())
    EXPECT_TRUE(at::equal(pair_loss(loss.name, terms(), "{}").losses, loss.compute(terms(), {}).losses))
        << loss.name;
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

// |h| of several thousand occurs: losses and gradients stay finite (but for divergences that grow as exp h).
TEST(PreferenceLosses, LargeMarginsStayFinite) {
  for (const auto& loss : preference_losses()) {
    if (loss.name == "f-dpo") continue;
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
