#include "plaudit/run/summary.h"

#include <fmt/format.h>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

void check_finite(const std::string& name, double value) {
  if (!std::isfinite(value))
    fail(ErrorKind::nan, "metric " + name, fmt::format("must be finite, got {}", value));
}

}  // namespace

void Summary::metric(const std::string& name, double value) {
  check_finite(name, value);
  json_["metrics"][name] = {{"value", value}, {"low", nullptr}, {"high", nullptr}, {"n", nullptr}};
}

void Summary::metric(const std::string& name, double value, double low, double high, int64_t n) {
  check_finite(name, value);
  check_finite(name, low);
  check_finite(name, high);
  json_["metrics"][name] = {{"value", value}, {"low", low}, {"high", high}, {"n", n}};
}

void Summary::rejected(const std::string& what, int64_t count) {
  Json& total = json_["rejected"][what];
  total = (total.is_null() ? 0 : total.get<int64_t>()) + count;
}

}  // namespace plaudit
