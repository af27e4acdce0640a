#include "plaudit/run/summary.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/property.h"

namespace plaudit {
namespace {

TEST(Summary, HasThePromisedShape) {
  Summary summary;
  summary.metric("kl", 2.5);
  summary.metric("gain", 0.2, 0.1, 0.3, 48);
  summary.rejected("too long", 3);
  summary.rejected("too long", 2);
  EXPECT_EQ(summary.json().dump(),
            R"({"metrics":{"kl":{"value":2.5,"low":null,"high":null,"n":null},)"
            R"("gain":{"value":0.2,"low":0.1,"high":0.3,"n":48}},"rejected":{"too long":5}})");
}

TEST(Summary, TheLastValueOfAMetricCounts) {
  Summary summary;
  summary.metric("kl", 1, 0, 2, 5);
  summary.metric("kl", 3);
  EXPECT_EQ(summary.json()["metrics"].dump(), R"({"kl":{"value":3.0,"low":null,"high":null,"n":null}})");
}

TEST(Summary, NumbersMustBeFinite) {
  Summary summary;
  testing::expect_error(ErrorKind::nan, "metric kl", [&] { summary.metric("kl", NAN); });
  testing::expect_error(ErrorKind::nan, "metric kl", [&] { summary.metric("kl", 1, 0, INFINITY, 2); });
}

}  // namespace
}  // namespace plaudit
