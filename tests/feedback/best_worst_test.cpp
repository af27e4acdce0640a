#include "plaudit/feedback/best_worst.h"

#include "plaudit/feedback/label_noise.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(SelectBestWorst, FindsTheExtremesOfAScore) {
  for_draws(300, [] {
    const int64_t k = integer(2, 7);
    const auto scores = at::randint(0, 5, {k}, at::kDouble);
    const auto r = select_best_worst(proxy_prefers(scores), at::ones({k}));
    EXPECT_EQ(scores[r.best].item<double>(), scores.max().item<double>());
    EXPECT_EQ(scores[r.worst].item<double>(), scores.min().item<double>());
    EXPECT_NE(r.best, r.worst);
    EXPECT_EQ(r.queries, 2 * k - 2);
    EXPECT_FALSE(r.keeps_incumbent);
  });
}

TEST(SelectBestWorst, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "prefers", [] { select_best_worst(at::zeros({1, 1})); });
  expect_error(ErrorKind::value, "prefers", [] { select_best_worst(at::ones({2, 2})); });
  expect_error(ErrorKind::shape, "prefers", [] { select_best_worst(at::zeros({2, 3})); });
  expect_error(ErrorKind::shape, "beats_incumbent", [] {
    select_best_worst(at::zeros({2, 2}), at::ones({3}));
  });
}

TEST(FlipLabels, FlipsTheRightShareAndTwiceIsNothing) {
  for_draws(100, [] {
    const auto labels = uniform({50}), u = uniform({50});
    const double rate = uniform({}).item<double>();
    expect_close(flip_labels(flip_labels(labels, u, rate), u, rate), labels);
    expect_close(flip_labels(labels, u, 1), 1 - labels);
    expect_close(flip_labels(labels, u, 0), labels);
  });
  expect_error(ErrorKind::value, "rate", [] { flip_labels(at::ones({1}), at::ones({1}), 2); });
}

}  // namespace
}  // namespace plaudit
