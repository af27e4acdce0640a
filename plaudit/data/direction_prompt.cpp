#include "plaudit/data/direction_prompt.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "plaudit/core/errors.h"

namespace plaudit {

void check_direction(std::string_view where, const std::vector<double>& direction, double tolerance) {
  if (direction.empty()) fail(ErrorKind::empty, where, "holds no weight");
  double squares = 0;
  for (const auto x : direction) {
    if (!std::isfinite(x)) fail(ErrorKind::nan, where, fmt::format("holds {}", x));
    squares += x * x;
  }
  const double length = std::sqrt(squares);
  if (std::abs(length - 1) > tolerance)
    fail(ErrorKind::value, where,
         fmt::format("must be of length 1, got {:.4g}; divide its numbers by that", length));
}

std::string direction_text(const std::vector<double>& direction) {
  std::string out = "Rating weights: ";
  for (size_t i = 0; i < direction.size(); ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ", ", static_cast<int64_t>(std::nearbyint(100 * direction[i])));
  return out + ".";
}

Prompt with_direction(const Prompt& prompt, const std::vector<double>& direction) {
  const auto text = direction_text(direction);
  auto out = prompt;
  if (!prompt.is_chat()) {
    out.text = text + "\n" + prompt.text;
  } else if (prompt.messages.front().role == "system") {
    out.messages.front().content = text + "\n" + prompt.messages.front().content;
  } else {
    out.messages.insert(out.messages.begin(), {"system", text});
  }
  return out;
}

std::vector<double> direction_of_angle(double degrees) {
  const double radians = degrees * std::numbers::pi / 180;
  return {std::cos(radians), std::sin(radians)};
}

}  // namespace plaudit
