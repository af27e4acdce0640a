#include "plaudit/objective/f_divergence.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(FDivergenceScore, RisesWithTheLogRatio) {
  for_draws(200, [] {
    const auto rho = normal({8}, 3), more = rho + uniform({8}, 0.01, 2);
    for (const auto* kind : {"reverse_kl", "forward_kl", "js", "alpha"}) {
      SCOPED_TRACE(kind);
      EXPECT_TRUE((f_divergence_score(more, kind) > f_divergence_score(rho, kind)).all().item<bool>());
      expect_gradient([&](const auto& x) { return f_divergence_score(x[0], kind).sum(); }, {normal({3})});
    }
  });
}

TEST(FDivergenceScore, AlphaTendsToTheKls) {
  for_draws(100, [] {
    const auto rho = normal({5});
    const auto centred = [](const Tensor& x) { return x - x[0]; };  // constants cancel in the margin
    expect_close(centred(f_divergence_score(rho, "alpha", 1 + 1e-7)), centred(rho), 1e-5);
    expect_close(f_divergence_score(rho, "alpha", 0), f_divergence_score(rho, "forward_kl"));
  });
}

// Where the exponential is beyond the largest number, so that neither a difference of scores nor its gradient
// is NaN.
TEST(FDivergenceScore, IsFiniteHoweverFar) {
  for (const auto type : {at::kFloat, at::kDouble})
    for (const auto* kind : {"reverse_kl", "forward_kl", "js", "alpha"}) {
      auto rho = at::tensor({-3000.0, -3001.0, 3000.0}, type).requires_grad_();
      const auto score = f_divergence_score(rho, kind);
      EXPECT_TRUE(at::isfinite(10 * (score[2] - score[0])).item<bool>()) << kind;
      (score[0] - score[1]).backward();
      EXPECT_TRUE(at::isfinite(rho.grad()).all().item<bool>()) << kind;
      EXPECT_TRUE((score[2] >= score[0]).item<bool>()) << kind;
    }
}

TEST(FDivergenceScore, UnknownKindNamesTheNearest) {
  expect_error(ErrorKind::value, "forward_kl", [] { f_divergence_score(at::zeros({1}), "forward"); });
  expect_error(ErrorKind::empty, "log_ratio", [] { f_divergence_score(at::zeros({0}), "js"); });
}

}  // namespace
}  // namespace plaudit
