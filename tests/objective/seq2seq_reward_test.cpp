#include "plaudit/objective/seq2seq_reward.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;
using Ids = std::vector<int64_t>;

Ids random_ids(int64_t least) {
  Ids ids(static_cast<size_t>(integer(least, 8)));
  for (auto& id : ids) id = integer(0, 3);
  return ids;
}

// Length of the longest common subsequence, by the textbook recursion on prefixes.
int64_t lcs_length(const Ids& a, const Ids& b) {
  std::vector<std::vector<int64_t>> d(a.size() + 1, std::vector<int64_t>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j)
      d[i][j] = a[i - 1] == b[j - 1] ? d[i - 1][j - 1] + 1 : std::max(d[i - 1][j], d[i][j - 1]);
  }
  return d[a.size()][b.size()];
}

TEST(SequenceFeedback, LcsKeepsACommonSubsequenceOfFullLength) {
  for_draws(300, [] {
    const auto response = random_ids(1), correction = random_ids(0);
    const auto r = sequence_feedback({response}, {correction});
    EXPECT_EQ(r.keep.sum().item<int64_t>(), lcs_length(response, correction));
    size_t at = 0;
    for (size_t i = 0; i < response.size(); ++i) {
      if (r.keep[0][static_cast<int64_t>(i)].item<int64_t>() == 0) continue;
      while (at < correction.size() && correction[at] != response[i]) ++at;
      ASSERT_LT(at, correction.size());
      ++at;
    }
  });
}

TEST(SequenceFeedback, PrefixKeepsNoMoreThanPositionAndPositionNoMoreThanLcs) {
  for_draws(300, [] {
    const auto a = random_ids(1), b = random_ids(0);
    const auto kept = [&](const char* align) {
      return sequence_feedback({a}, {b}, {.align = align}).kept_fraction.item<double>();
    };
    EXPECT_LE(kept("prefix"), kept("position"));
    EXPECT_LE(kept("position"), kept("lcs"));
    EXPECT_EQ(sequence_feedback({a}, {a}).kept_fraction.item<double>(), 1);
  });
}

TEST(TokenFeedbackShaping, ReturnsAddUpAndTheMaskHides) {
  for_draws(200, [] {
    const int64_t b = integer(1, 4), t = integer(1, 5);
    const auto mask = random_mask(b, t);
    const auto feedback = normal({b, t}), logps = normal({b, t}), ref = normal({b, t}),
               terminal = normal({b});
    const ShapingOptions options = {.kl_coef = 0.2, .length_normalize = true, .terminal = terminal};
    const auto r = token_feedback_shaping(feedback, logps, ref, mask, options);
    expect_close(r.returns, r.rewards.sum(1));
    const auto hidden = at::where(mask.ne(0), feedback, NAN);
    expect_close(token_feedback_shaping(hidden, logps, ref, mask, options).rewards, r.rewards);
    expect_close(at::where(mask.ne(0), 0.0, r.rewards), at::zeros({b, t}, at::kDouble));
  });
}

TEST(Seq2seqLoss, GradientMatchesFiniteDifferences) {
  for_draws(50, [] {
    const auto mask = random_mask(2, 3), other = random_mask(3, 2);
    for (const auto* normalize : {"sequence", "token"}) {
      expect_gradient(
          [&](const auto& x) {
            return seq2seq_rm_loss(x[0], mask, x[1], other, {.identity_weight = 0.5, .normalize = normalize})
                .loss;
          },
          {-normal({2, 3}).abs() - 0.1, -normal({3, 2}).abs() - 0.1});
    }
  });
}

TEST(Seq2seqReward, ErrorsNameTheArgument) {
  expect_error(ErrorKind::empty, "response", [] { sequence_feedback({{}}, {{1}}); });
  expect_error(ErrorKind::shape, "correction", [] { sequence_feedback({{1}}, {{1}, {2}}); });
  expect_error(ErrorKind::value, "align", [] { sequence_feedback({{1}}, {{1}}, {.align = "nearest"}); });
  const auto x = at::zeros({1, 2}, at::kDouble), ones = at::ones({1, 2}, at::kLong);
  expect_error(ErrorKind::value, "identity_logps", [&] { seq2seq_rm_loss(x, ones, x + 0.5, ones); });
  expect_error(ErrorKind::empty, "mask", [&] { identity_score(x, ones * 0); });
  expect_error(ErrorKind::value, "kl_coef", [&] { token_feedback_shaping(x, x, x, ones, {.kl_coef = -1}); });
}

}  // namespace
}  // namespace plaudit
