#include "plaudit/eval/filtered_r2.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(FilteredR2, LiesInTheUnitIntervalAndIgnoresScaleShiftAndOrder) {
  for_draws(300, [] {
    const auto x = normal({12}), y = normal({12}), w = uniform({12}, 0.1, 2);
    const auto order = at::randperm(12);
    for (const std::optional<int64_t> bins : {std::optional<int64_t>{}, std::optional<int64_t>{4}}) {
      const auto r2 = filtered_r2(x, y, w, bins);
      EXPECT_GE(r2.item<double>(), 0);
      EXPECT_LE(r2.item<double>(), 1 + 1e-12);
      expect_close(filtered_r2(x * 3 - 1, y * -2 + 5, w * 7, bins), r2);
      expect_close(
          filtered_r2(x.index_select(0, order), y.index_select(0, order), w.index_select(0, order), bins),
          r2);
    }
    expect_close(filtered_r2(x, 2 * x + 1, w), at::ones({}, at::kDouble));
  });
}

TEST(FilteredR2, AWeightIsARepetition) {
  for_draws(200, [] {
    const auto x = normal({8}), y = normal({8}),
               w = at::randint(0, 3, {8}, at::kLong).index_fill(0, at::tensor({0, 1}, at::kLong), 1);
    const auto repeated =
        filtered_r2(x.repeat_interleave(w), y.repeat_interleave(w), at::ones({w.sum().item<int64_t>()}));
    expect_close(filtered_r2(x, y, w), repeated);
  });
}

TEST(FilteredR2, ErrorsNameTheArgument) {
  const auto x = at::arange(3).to(at::kDouble), one = at::ones({3});
  expect_error(ErrorKind::value, "scores", [&] { filtered_r2(x, one, one); });
  // The mean of three times 0.1 is not 0.1.
  expect_error(ErrorKind::value, "rewards", [&] { filtered_r2(at::full({3}, 0.1, at::kDouble), x, one); });
  expect_error(ErrorKind::value, "bins", [&] { filtered_r2(x, x, one, 4); });
  expect_error(ErrorKind::empty, "weights", [&] { filtered_r2(x, x, one * 0); });
}

}  // namespace
}  // namespace plaudit
