#include "plaudit/eval/sequence_kl.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(SequenceKl, PaddingAndOrderDoNotMatter) {
  for_draws(200, [] {
    const int64_t rows = integer(1, 5), length = integer(1, 6);
    const auto a = normal({rows, length}), b = normal({rows, length}), mask = random_mask(rows, length);
    const auto pad = at::full({rows, 3}, std::nan(""), at::kDouble), zero = at::zeros({rows, 3}, at::kLong);
    const auto order = at::randperm(rows);
    for (const auto* estimator : {"k1", "k2", "k3"}) {
      SCOPED_TRACE(estimator);
      const auto kl = sequence_kl(a, b, mask, estimator).kl;
      expect_close(
          sequence_kl(at::cat({a, pad}, 1), at::cat({b, pad}, 1), at::cat({mask, zero}, 1), estimator).kl,
          kl);
      expect_close(sequence_kl(a.index_select(0, order), b.index_select(0, order),
                               mask.index_select(0, order), estimator)
                       .kl,
                   kl);
      expect_close(sequence_kl(a, a, mask, estimator).kl, at::zeros({}, at::kDouble));
      expect_gradient([&](const auto& x) { return sequence_kl(x[0], x[1], mask, estimator).kl; }, {a, b});
    }
    EXPECT_TRUE((sequence_kl(a, b, mask, "k3").per_token >= 0).all().item<bool>());
  });
}

TEST(SequenceKl, UnbiasedEstimatorsAverageToTheExactKl) {
  at::manual_seed(0);
  const auto p = at::log_softmax(normal({5}), 0), q = at::log_softmax(normal({5}), 0);
  const auto exact = (p.exp() * (p - q)).sum();
  const auto draws = at::multinomial(p.exp(), 400000, true);
  const auto lp = p.index_select(0, draws).unsqueeze(1), lq = q.index_select(0, draws).unsqueeze(1);
  for (const auto* estimator : {"k1", "k3"})
    expect_close(sequence_kl(lp, lq, at::ones_like(lp), estimator).kl, exact, 0.01);
}

TEST(SequenceKl, ErrorsNameTheArgument) {
  const auto x = at::zeros({2, 3}), none = at::zeros({2, 3});
  expect_error(ErrorKind::empty, "mask", [&] { sequence_kl(x, x, none); });
  expect_error(ErrorKind::shape, "mask", [&] { sequence_kl(x, x, at::ones({2})); });
  expect_error(ErrorKind::value, "estimator", [&] { sequence_kl(x, x, at::ones({2, 3}), "k4"); });
  expect_error(ErrorKind::nan, "ref_logps", [&] { sequence_kl(x, x / 0, at::ones({2, 3})); });
}

}  // namespace
}  // namespace plaudit
