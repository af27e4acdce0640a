#include "plaudit/feedback/principles.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(PairwiseJudgeScore, ExchangingTheOutputsTurnsTheScore) {
  for_draws(200, [] {
    const JudgeLogits x = {normal({5}), normal({5}), normal({5}), normal({5})};
    const auto r = pairwise_judge_score(x);
    const auto turned = pairwise_judge_score({x.a_21, x.b_21, x.a_12, x.b_12});
    expect_close(turned.score, -r.score);
    EXPECT_TRUE(r.score.ne(0).equal(r.preference.ne(0)));
  });
}

TEST(DominantPrinciple, NegatingAPrincipleTurnsTheLabelItDecides) {
  for_draws(200, [] {
    const int64_t b = integer(1, 4), d = integer(1, 4);
    const auto s12 = normal({b, d}), s21 = normal({b, d}), variance = uniform({d}, 0.5, 2);
    auto selected = at::randint(0, 2, {b, d}, at::kLong);
    selected.select(1, 0).fill_(1);
    const auto negated = at::randint(0, 2, {b, d}, at::kLong);
    const auto r = dominant_principle(s12, s21, variance, selected, negated);
    const auto turned = dominant_principle(s12, s21, variance, selected, 1 - negated);
    EXPECT_TRUE(turned.index.equal(r.index));
    EXPECT_TRUE(turned.label.equal(at::where(r.label.eq(-1), -1, 1 - r.label)));
    EXPECT_TRUE(at::where(selected.eq(0), r.adjusted, 0.0).eq(0).all().item<bool>());
  });
}

TEST(SamplePrinciples, DrawsDistinctIndicesAndPrefersBoostedOnes) {
  for_draws(200, [] {
    const int64_t d = integer(1, 6), k = integer(1, d);
    const auto drawn = sample_principles(uniform({d}, 0.1, 3), uniform({k}));
    EXPECT_EQ(std::get<0>(at::_unique(drawn)).numel(), k);
    const auto boost = at::one_hot(at::scalar_tensor(d - 1, at::kLong), d);
    EXPECT_EQ(sample_principles(at::ones({d}), at::full({k}, 0.5), boost, 1e6)[0].item<int64_t>(), d - 1);
  });
}

TEST(SamplePrinciples, BoostIsAMultipleOfItsAmount) {
  const auto boost = at::tensor({0.0, 0.5, 0.0}), draw = at::full({1}, 0.6);  // weights 1, 3, 1
  EXPECT_EQ(sample_principles(at::ones({3}), draw, boost, 4)[0].item<int64_t>(), 1);
  EXPECT_EQ(sample_principles(at::ones({3}), at::full({1}, 0.81), boost, 4)[0].item<int64_t>(), 2);
  expect_error(ErrorKind::nan, "boost", [&] { sample_principles(at::ones({3}), draw, boost / 0, 4); });
}

TEST(TruncatedGeometric, InvertsItsDistribution) {
  int64_t last = 1;
  for (double u = 0; u < 1; u += 0.001) {
    const auto n = truncated_geometric(u);
    EXPECT_GE(n, last);
    last = n;
  }
  EXPECT_EQ(last, 8);
  EXPECT_EQ(truncated_geometric(0.99, 1), 1);
}

TEST(Principles, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "uniforms", [] { sample_principles(at::ones({1}), at::zeros({2})); });
  expect_error(ErrorKind::value, "weights", [] { sample_principles(-at::ones({1}), at::zeros({1})); });
  expect_error(ErrorKind::value, "p", [] { truncated_geometric(0.5, 0); });
  expect_error(ErrorKind::shape, "negated", [] { principle_lines({"a"}, {"b"}, {}); });
  const auto x = at::zeros({1, 2}, at::kDouble);
  expect_error(ErrorKind::empty, "selected", [&] { dominant_principle(x, x, at::ones({2}), x, x); });
}

}  // namespace
}  // namespace plaudit
