#include "plaudit/run/plot_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace plaudit {
namespace {

// The smallest of 1, 2, 2.5, 5, 10 times a power of ten that is at least `rough`.
double nice_step(double rough) {
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::vector<Tick> powers(double base, double low, double high) {
  std::vector<Tick> ticks;
  const double margin = 1e-9;
  for (double e = std::ceil(std::log(low) / std::log(base) - margin);
       std::pow(base, e) <= high * (1 + margin); ++e)
    ticks.push_back({std::pow(base, e), fmt::format("{:g}", std::pow(base, e))});
  return ticks;
}

}  // namespace

std::string tick_label(double value, double step) {
  if (std::abs(value) < step * 1e-6) return "0";
  const double power = std::floor(std::log10(step) + 1e-9);
  const double mantissa = step / std::pow(10, power);
  // A step of 2.5 needs one digit more than its power of ten says.
  const int extra = std::abs(mantissa - std::round(mantissa)) > 1e-6 ? 1 : 0;
  const double size = std::max(std::abs(value), step);
  if (size >= 1e5 || size < 1e-4) {
    const int digits = static_cast<int>(std::floor(std::log10(size) + 1e-9) - power) + extra;
    return fmt::format("{:.{}e}", value, std::max(0, digits));
  }
  return fmt::format("{:.{}f}", value, std::max(0, static_cast<int>(-power) + extra));
}

PlotScale::PlotScale(double low, double high, double from, double to, bool logarithmic)
    : low_(low), high_(high), from_(from), to_(to), logarithmic_(logarithmic) {
  if (high_ > low_) return;
  if (logarithmic_) {
    low_ /= 2;
    high_ *= 2;
    return;
  }
  const double half = low_ == 0 ? 1 : std::abs(low_) / 10;
  low_ -= half;
  high_ += half;
}

double PlotScale::pixel(double value) const {
  const auto place = [this](double v) { return logarithmic_ ? std::log(v) : v; };
  return from_ + (place(value) - place(low_)) / (place(high_) - place(low_)) * (to_ - from_);
}

std::vector<Tick> PlotScale::ticks(int count) const {
  if (logarithmic_) {
    auto twos = powers(2, low_, high_);
    if (twos.size() >= 2 && twos.size() <= 10) return twos;
    auto tens = powers(10, low_, high_);
    if (tens.size() >= 2) return tens;  // else the range lies between two powers: steps serve as well
  }
  const double step = nice_step((high_ - low_) / count);
  std::vector<Tick> ticks;
  for (double i = std::ceil(low_ / step - 1e-9); i * step <= high_ + 1e-9 * step; ++i)
    ticks.push_back({i * step, tick_label(i * step, step)});
  return ticks;
}

}  // namespace plaudit
