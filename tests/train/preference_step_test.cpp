// Any registered loss on segments of control: the same step and the same loop as for answers.
#include "plaudit/train/preference_step.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/data/control_segments.h"
#include "plaudit/objective/preference_dpo.h"
#include "plaudit/train/control_actor.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

// Random actions in a task whose best action is 0.9 times the observation; episodes of 12 steps.
ControlData logged(int64_t episodes, const std::string& name) {
  Rng rng(4, name);
  const int64_t rows = 12 * episodes;
  const auto observations = 2 * rng.uniform_tensor({rows, 1}) - 1,
             actions = 2 * rng.uniform_tensor({rows, 1}) - 1;
  ControlData data;
  data.observations = observations;
  data.actions = actions;
  data.rewards = -(actions - 0.9 * observations).square().sum(1);
  data.terminals = at::arange(1, rows + 1).remainder(12).eq(0);
  data.timeouts = at::zeros({rows}, at::kBool);
  return checked_control_data(std::move(data), name);
}

// Pairs of segments of 5 steps; each third one is cut to 2 by the end of its episode.
PreferenceSegments pairs_of(int64_t episodes, const std::string& name) {
  return compare_by_return(all_segments(logged(episodes, name + " a"), 5),
                           all_segments(logged(episodes, name + " b"), 5));
}

// The step log-densities of segments [P,T] under a Gaussian policy.
at::Tensor step_logps(const ControlActor& actor, const ControlSegments& segments) {
  const auto flat = [](const at::Tensor& x) { return x.flatten(0, 1); };
  const auto logps = actor.log_density(actor.mean(flat(segments.observations)), flat(segments.actions));
  return logps.view_as(segments.mask);
}

SegmentLogps logps_of(const ControlActor& actor, const PreferenceSegments& pairs) {
  return {step_logps(actor, pairs.a), step_logps(actor, pairs.b), pairs.a.mask, pairs.b.mask};
}

ControlSegments some(const ControlSegments& all, const at::Tensor& index) {
  const auto rows = [&](const at::Tensor& x) { return x.index_select(0, index); };
  return {rows(all.observations), rows(all.actions), rows(all.rewards), rows(all.mask), rows(all.starts)};
}

class SegmentObjective : public Objective {
 public:
  SegmentObjective(const ControlActor& actor, PreferenceSegments pairs, const std::string& loss)
      : actor_(actor),
        frozen_(actor.copy()),
        pairs_(std::move(pairs)),
        loss_(find_preference_loss(loss, {})) {}

  std::string name() const override { return loss_.name; }
  int64_t size() const override { return pairs_.label.size(0); }
  int64_t tokens(int64_t) const override { return 2 * pairs_.a.mask.size(1); }
  std::vector<Parameter> parameters() const override { return actor_.trainable(); }
  std::vector<std::string> metric_names() const override { return preference_metric_names(); }
  std::string show(int64_t example) const override { return "pair " + std::to_string(example); }
  StepLoss loss(const std::vector<int64_t>& examples) override {
    const auto index = at::tensor(examples, at::kLong);
    const PreferenceSegments batch{some(pairs_.a, index), some(pairs_.b, index),
                                   pairs_.label.index_select(0, index)};
    std::optional<SegmentLogps> reference;
    if (loss_.needs_reference) {
      const at::NoGradGuard no_grad;
      reference = logps_of(frozen_, batch);
    }
    return preference_step(loss_, {}, segment_terms(logps_of(actor_, batch), reference), batch.label,
                           at::ones_like(batch.label), reference.has_value());
  }

 private:
  ControlActor actor_, frozen_;
  PreferenceSegments pairs_;
  const PreferenceLoss& loss_;
};

TEST(PreferenceStep, AGaussianPolicyLearnsWhichSegmentsArePreferredByAnyLoss) {
  for (const std::string loss : {"dpo", "ipo", "hinge", "simpo"}) {
    const ControlActor actor({.kind = "gaussian", .observations = 1, .actions = 1, .hidden = {16}},
                             Rng(1, "actor"));
    // Both objectives keep the actor as it is now as their reference.
    SegmentObjective objective(actor, pairs_of(200, "train"), loss),
        heldout(actor, pairs_of(60, "held"), loss);
    const auto before = evaluate_objective(heldout, 4096);
    TrainOptions options;
    options.max_steps = 300;
    options.batch = 64;
    options.tokens_per_batch = 4096;
    options.learning_rate = 0.02;
    TrainContext context{.rng = Rng(0, "train")};
    train(objective, options, context);
    const auto after = evaluate_objective(heldout, 4096);
    EXPECT_LT(before.at("rewards/accuracy"), 0.75) << loss;
    EXPECT_GT(after.at("rewards/accuracy"), 0.9) << loss;
    EXPECT_LT(after.at("loss"), before.at("loss")) << loss;
    RecordProperty("accuracy_" + loss, std::to_string(after.at("rewards/accuracy")));
    EXPECT_EQ(after.count("kl"), loss == "simpo" ? 0u : 1u) << loss;
  }
}

TEST(PreferenceStep, IsTheLossOfTheSummedStepsWhateverLiesUnderTheMask) {
  const auto t = [](std::initializer_list<double> values) {
    return at::tensor(values, at::kDouble).view({2, 2});
  };
  const double nan = std::nan("");
  const SegmentLogps policy{t({-1, -2, -3, nan}), t({-2, -2, -1, -1}), t({1, 1, 1, 0}), t({1, 1, 1, 1})};
  const SegmentLogps reference{t({-2, -2, -2, nan}), t({-1, -2, -1, -2}), {}, {}};
  const auto terms = segment_terms(policy, reference);
  EXPECT_TRUE(at::equal(terms.chosen_lengths, at::tensor({2, 1}, at::kLong)));
  const auto numbers = [](double x, double y) { return at::tensor({x, y}, at::kDouble); };
  const PairLogps sums{numbers(-3, -3), numbers(-4, -2), numbers(-4, -2), numbers(-3, -3)};
  const auto& dpo = find_preference_loss("dpo", {});
  const auto plain = preference_step(dpo, {}, terms, numbers(1, 1), numbers(1, 2));
  const auto expected = dpo_loss(sums).losses;
  EXPECT_NEAR(plain.loss_sum.item<double>(), (expected[0] + 2 * expected[1]).item<double>(), 1e-12);
  EXPECT_EQ(plain.weight, 3);
  // A label of 0 is the pair turned round, 1/2 both halves.
  const auto turned = dpo_loss({sums.rejected, sums.chosen, sums.ref_rejected, sums.ref_chosen}).losses;
  const auto mixed = preference_step(dpo, {}, terms, numbers(0, 0.5), numbers(1, 1));
  EXPECT_NEAR(mixed.loss_sum.item<double>(), (turned[0] + 0.5 * expected[1] + 0.5 * turned[1]).item<double>(),
              1e-12);
  EXPECT_EQ(mixed.sums.at("rewards/accuracy").weight, 1);
}

TEST(PreferenceStep, SegmentsWithoutStepsAndOtherShapesAreRefused) {
  const auto ones = at::ones({2, 3});
  const auto refused = [](const SegmentLogps& policy, const std::optional<SegmentLogps>& reference) {
    try {
      segment_terms(policy, reference);
    } catch (const UserError& error) {
      return message_of(error);
    }
    return std::string("accepted");
  };
  auto mask = at::ones({2, 3});
  EXPECT_EQ(refused({ones, ones, mask, mask}, {}), "accepted");
  EXPECT_THAT(refused({ones, at::ones({3, 3}), mask, at::ones({3, 3})}, {}),
              HasSubstr("train.segment_terms"));
  EXPECT_THAT(refused({ones, ones, mask, mask}, SegmentLogps{ones, at::ones({2, 2}), {}, {}}),
              HasSubstr("reference_b"));
  EXPECT_THAT(refused({at::full({2, 3}, std::nan("")), ones, mask, mask}, {}), HasSubstr("a"));
  mask = at::zeros({2, 3});
  EXPECT_THAT(refused({ones, ones, mask, at::ones({2, 3})}, {}), HasSubstr("mask_a"));
  const auto terms = segment_terms({ones, ones, at::ones({2, 3}), at::ones({2, 3})});
  EXPECT_THROW(preference_step(find_preference_loss("dpo", {}), {}, terms, at::ones({2, 1}), at::ones({2})),
               UserError);
}

}  // namespace
}  // namespace plaudit
