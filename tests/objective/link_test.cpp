#include "plaudit/objective/link.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(Link, LogisticLossesOfTheTwoLabelsDifferByTheMargin) {
  for_draws(300, [] {
    const auto m = normal({integer(1, 20)}, 10);
    expect_close(logistic_link(-m) - logistic_link(m), m);
    const double a = uniform({}, 0, 0.49).item<double>();
    expect_close(logistic_link(m, a), (1 - a) * logistic_link(m) + a * logistic_link(-m));
    expect_close(logistic_link(m, at::full_like(m, a)), logistic_link(m, a));
  });
}

TEST(Link, UnbiasedLogisticAveragesToTheCleanLossOverFlips) {
  for_draws(300, [] {
    const auto m = normal({integer(1, 20)}, 10);
    const double a = uniform({}, 0, 0.45).item<double>();
    const auto mean = (1 - a) * unbiased_logistic_link(m, a) + a * unbiased_logistic_link(-m, a);
    expect_close(mean, logistic_link(m));
  });
}

TEST(Link, AllFallWithTheMargin) {
  for_draws(300, [] {
    const auto m = normal({10}, 5), more = m + uniform({10}, 0.01, 3);
    EXPECT_TRUE((logistic_link(more) < logistic_link(m)).all().item<bool>());
    EXPECT_TRUE((hinge_link(more, 1) <= hinge_link(m, 1)).all().item<bool>());
    EXPECT_TRUE(
        (square_link(more, 20 + more.max().item<double>()) < square_link(m, 20 + more.max().item<double>()))
            .all()
            .item<bool>());
  });
}

TEST(Link, ExtremeMarginsStayExact) {
  const auto m = at::tensor({-3000.0, 3000.0, -1e6, 1e6});
  expect_close(logistic_link(m), at::tensor({3000.0, 0.0, 1e6, 0.0}));
  const auto grads = gradients([](const auto& x) { return logistic_link(x[0], 0.1).sum(); }, {m});
  expect_close(grads[0], at::tensor({-0.9, 0.1, -0.9, 0.1}));
}

}  // namespace
}  // namespace plaudit
