#include "plaudit/feedback/lexicon_sentiment.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/data/expect_error.h"

namespace plaudit {
namespace {

Tensor ids(std::vector<int64_t> values, int64_t rows) {
  return at::tensor(values, at::kLong).view({rows, -1});
}

const auto weights = [] { return at::tensor({0.0, 1.0, -2.0}, at::kDouble); };

TEST(LexiconSentiment, SumsWhatIsValid) {
  const auto result = lexicon_sentiment(ids({1, 1, 2, 1}, 2), ids({1, 1, 1, 0}, 2), weights(), 0.5);
  EXPECT_EQ(result.score[0].item<double>(), 2);
  EXPECT_EQ(result.score[1].item<double>(), -2);
  EXPECT_NEAR(result.rewards[0].item<double>(), 1 / (1 + std::exp(-1.0)), 1e-12);
}

TEST(LexiconSentiment, ATokenUnderTheMaskIsNeverLookedAt) {
  const auto result = lexicon_sentiment(ids({1, -100, 999}, 1), ids({1, 0, 0}, 1), weights());
  EXPECT_EQ(result.score[0].item<double>(), 1);
}

TEST(LexiconSentiment, TheGradientCountsTokens) {
  const auto w = weights().requires_grad_(true);
  lexicon_sentiment(ids({1, 1, 2}, 1), ids({1, 1, 1}, 1), w).score.sum().backward();
  EXPECT_TRUE(at::equal(w.grad(), at::tensor({0.0, 2.0, 1.0}, at::kDouble)));
}

TEST(LexiconSentiment, AnEmptyAnswerIsHalf) {
  const auto result = lexicon_sentiment(ids({1, 2}, 1), ids({0, 0}, 1), weights());
  EXPECT_EQ(result.rewards.item<double>(), 0.5);
}

TEST(LexiconSentiment, Errors) {
  const auto tokens = ids({1, 2}, 1), mask = ids({1, 1}, 1);
  expect_error(ErrorKind::empty, {"tokens"}, [&] {
    lexicon_sentiment(at::empty({0, 2}, at::kLong), mask, weights());
  });
  expect_error(ErrorKind::shape, {"mask"}, [&] { lexicon_sentiment(tokens, ids({1}, 1), weights()); });
  expect_error(ErrorKind::shape, {"tokens"}, [&] { lexicon_sentiment(tokens[0], mask[0], weights()); });
  expect_error(ErrorKind::value, {"tokens"}, [&] { lexicon_sentiment(ids({3, 1}, 1), mask, weights()); });
  expect_error(ErrorKind::value, {"tokens"}, [&] { lexicon_sentiment(ids({-1, 1}, 1), mask, weights()); });
  expect_error(ErrorKind::nan, {"weights"}, [&] {
    lexicon_sentiment(tokens, mask, at::tensor({0.0, NAN, 1.0}, at::kDouble));
  });
  expect_error(ErrorKind::nan, {"scale"}, [&] { lexicon_sentiment(tokens, mask, weights(), NAN); });
}

}  // namespace
}  // namespace plaudit
