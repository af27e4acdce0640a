#include "plaudit/objective/preference_dpo.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

PairLogps random_pair(int64_t batch, double scale = 10) {
  const auto logps = [&] { return -normal({batch}, scale).abs(); };
  return {logps(), logps(), logps(), logps()};
}

std::vector<Tensor> tensors(const PairLogps& p) {
  return {p.chosen, p.rejected, p.ref_chosen, p.ref_rejected};
}

PairLogps pair_of(const std::vector<Tensor>& x) {
  return {x[0], x[1], x[2], x[3]};
}

PairLogps map(const PairLogps& p, const std::function<Tensor(const Tensor&)>& f) {
  return {f(p.chosen), f(p.rejected), f(p.ref_chosen), f(p.ref_rejected)};
}

// Every loss on a pair under one signature.
using Loss = std::function<PairLoss(const PairLogps&)>;
std::vector<std::pair<std::string, Loss>> losses() {
  const auto plain = [](const DpoResult& r) { return PairLoss{r.loss, r.losses}; };
  return {{"dpo", [=](const auto& p) { return plain(dpo_loss(p, {.beta = 0.3})); }},
          {"cdpo", [=](const auto& p) { return plain(dpo_loss(p, {.beta = 0.3, .label_smoothing = 0.2})); }},
          {"robust", [](const auto& p) { return robust_dpo_loss(p, {.beta = 0.3, .label_smoothing = 0.2}); }},
          {"ipo", [](const auto& p) { return ipo_loss(p, {.tau = 0.3}); }},
          {"hinge", [](const auto& p) { return hinge_loss(p, {.beta = 0.3}); }}};
}

TEST(PairLosses, GradientsMatchFiniteDifferences) {
  for_draws(100, [] {
    const auto pair = random_pair(integer(1, 4));
    for (const auto& [name, loss] : losses()) {
      SCOPED_TRACE(name);
      expect_gradient([&loss = loss](const auto& x) { return loss(pair_of(x)).loss; }, tensors(pair));
    }
  });
}

TEST(PairLosses, LossIsTheMeanAndTheOrderOfTheBatchDoesNotMatter) {
  for_draws(200, [] {
    const int64_t batch = integer(1, 12);
    const auto pair = random_pair(batch);
    const auto order = at::randperm(batch);
    const auto shuffled = map(pair, [&](const Tensor& t) { return t.index_select(0, order); });
    for (const auto& [name, loss] : losses()) {
      SCOPED_TRACE(name);
      const auto r = loss(pair), s = loss(shuffled);
      expect_close(r.loss, r.losses.mean());
      expect_close(s.losses, r.losses.index_select(0, order));
      expect_close(s.loss, r.loss);
    }
  });
}

TEST(PairLosses, OnlyLogRatiosMatter) {
  for_draws(200, [] {
    auto pair = random_pair(5);
    const auto shift_w = normal({5}, 20), shift_l = normal({5}, 20);
    const PairLogps shifted{pair.chosen + shift_w, pair.rejected + shift_l, pair.ref_chosen + shift_w,
                            pair.ref_rejected + shift_l};
    for (const auto& [name, loss] : losses()) {
      SCOPED_TRACE(name);
      expect_close(loss(shifted).losses, loss(pair).losses, 1e-8);
    }
  });
}

TEST(PairLosses, MarginsOfThreeThousandStayFinite) {
  const auto far = at::tensor({-3000.0, -1.0}), near = at::tensor({-1.0, -3000.0}),
             ref = at::tensor({-5.0, -5.0});
  for (const auto& [name, loss] : losses()) {
    SCOPED_TRACE(name);
    for (const auto& grad :
         gradients([&loss = loss](const auto& x) { return loss(pair_of(x)).loss; }, {far, near, ref, ref}))
      EXPECT_TRUE(at::isfinite(grad).all().item<bool>());
  }
}

TEST(PairLosses, HalfPrecisionIsComputedInSingle) {
  for_draws(50, [] {
    const auto pair = map(random_pair(4), [](const Tensor& t) { return t.to(at::kBFloat16); });
    const auto single = map(pair, [](const Tensor& t) { return t.to(at::kFloat); });
    for (const auto& [name, loss] : losses()) {
      SCOPED_TRACE(name);
      EXPECT_EQ(loss(pair).loss.scalar_type(), at::kFloat);
      EXPECT_TRUE(at::equal(loss(pair).losses, loss(single).losses));
    }
  });
}

TEST(PairLosses, ErrorsNameTheArgument) {
  const auto two = at::zeros({2}, at::kDouble), three = at::zeros({3}, at::kDouble),
             none = at::zeros({0}, at::kDouble);
  auto bad = two.clone();
  bad[1] = std::nan("");
  for (const auto& [name, loss] : losses()) {
    SCOPED_TRACE(name);
    expect_error(ErrorKind::empty, "chosen_logps", [&, &loss = loss] { loss({none, none, none, none}); });
    expect_error(ErrorKind::shape, "ref_rejected_logps", [&, &loss = loss] { loss({two, two, two, three}); });
    expect_error(ErrorKind::nan, "rejected_logps", [&, &loss = loss] { loss({two, bad, two, two}); });
    expect_error(ErrorKind::nan, "ref_chosen_logps", [&, &loss = loss] {
      loss({two, two, at::full({2}, -HUGE_VAL), two});
    });
  }
  const PairLogps ok{two, two, two, two};
  expect_error(ErrorKind::value, "beta", [&] { dpo_loss(ok, {.beta = 0}); });
  expect_error(ErrorKind::value, "label_smoothing", [&] { dpo_loss(ok, {.label_smoothing = 0.5}); });
  expect_error(ErrorKind::value, "label_smoothing", [&] { robust_dpo_loss(ok, {.label_smoothing = 0.5}); });
  expect_error(ErrorKind::value, "tau", [&] { ipo_loss(ok, {.tau = -1}); });
  expect_error(ErrorKind::value, "rejected_lengths", [&] { ipo_loss(ok, {.chosen_lengths = two + 1}); });
}

TEST(DpoLoss, RewardsAreDetachedAndKeepTheReference) {
  for_draws(100, [] {
    const auto pair = random_pair(4);
    const auto r = dpo_loss(pair, {.beta = 0.2, .reference_free = true});
    expect_close(r.chosen_rewards, 0.2 * (pair.chosen - pair.ref_chosen));
    expect_close(r.rejected_rewards, 0.2 * (pair.rejected - pair.ref_rejected));
    const auto zero = at::zeros({4}, at::kDouble);
    expect_close(r.losses, dpo_loss({pair.chosen, pair.rejected, zero, zero}, {.beta = 0.2}).losses);
    EXPECT_FALSE(r.chosen_rewards.requires_grad());
  });
}

TEST(IpoLoss, LengthsOfOneChangeNothingAndLengthsDivide) {
  for_draws(100, [] {
    const auto pair = random_pair(3);
    const auto ones = at::ones({3}, at::kLong);
    expect_close(ipo_loss(pair, {.chosen_lengths = ones, .rejected_lengths = ones}).losses,
                 ipo_loss(pair).losses);
    const auto w = at::randint(1, 30, {3}, at::kLong), l = at::randint(1, 30, {3}, at::kLong);
    const PairLogps mean{pair.chosen / w, pair.rejected / l, pair.ref_chosen / w, pair.ref_rejected / l};
    expect_close(ipo_loss(pair, {.chosen_lengths = w, .rejected_lengths = l}).losses, ipo_loss(mean).losses);
  });
}

}  // namespace
}  // namespace plaudit
