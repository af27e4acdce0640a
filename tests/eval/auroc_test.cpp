#include "plaudit/eval/auroc.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Auroc, CountsPairs) {
  for_draws(300, [] {
    const int64_t n = integer(2, 12);
    const auto scores = at::randint(0, 5, {n}, at::kDouble);
    auto labels = at::randint(0, 2, {n}, at::kLong);
    labels[0] = 0, labels[1] = 1;
    const auto d = (scores.unsqueeze(1) - scores.unsqueeze(0)).sgn() / 2 + 0.5;
    const auto pairs = labels.eq(1).unsqueeze(1).logical_and(labels.eq(0).unsqueeze(0));
    expect_close(auroc(scores, labels), d.masked_select(pairs).mean());
    expect_close(auroc(scores.exp(), labels), auroc(scores, labels));
    expect_close(auroc(-scores, labels), 1 - auroc(scores, labels));
  });
}

TEST(Auroc, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "labels", [] { auroc(at::ones({2}), at::ones({2})); });
  expect_error(ErrorKind::value, "labels", [] { auroc(at::ones({2}), at::arange(2) + 1); });
  expect_error(ErrorKind::nan, "scores", [] { auroc(at::ones({2}) * NAN, at::arange(2)); });
}

TEST(PrefixScores, TakeTheLastEntryAtFullLengthAndNeverReadBeyond) {
  for_draws(100, [] {
    const auto lengths = at::randint(1, 6, {4}, at::kLong);
    const auto inside = at::arange(5).lt(lengths.unsqueeze(1));
    const auto partial = at::where(inside, normal({4, 5}), NAN);
    const auto last = partial.gather(1, (lengths - 1).unsqueeze(1)).squeeze(1);
    expect_close(prefix_scores(partial, lengths, 1), last);
    expect_close(prefix_scores(partial, lengths, 0), partial.select(1, 0));
  });
  expect_error(ErrorKind::value, "lengths", [] { prefix_scores(at::ones({1, 2}), at::full({1}, 3), 0.5); });
  // NaN behind the length is padding, NaN before it is not.
  const auto holes = at::tensor({1.0, std::nan(""), 2.0, std::nan("")}, at::kDouble).view({2, 2});
  expect_close(prefix_scores(holes, at::ones({2}, at::kLong), 1), at::tensor({1.0, 2.0}, at::kDouble));
  expect_error(ErrorKind::nan, "partial", [&] { prefix_scores(holes, at::full({2}, 2), 0.5); });
}

}  // namespace
}  // namespace plaudit
