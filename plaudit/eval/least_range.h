// Worst-case regret by duality: the least range of returns over mixtures of two rewards.
//
// Among policies that the learned reward does not like less, the most return that the true one can lose is
// min over lambda >= 0 of range(true - lambda learned), both scaled to range 1. The range is convex and
// piecewise linear in lambda.
#pragma once

#include <functional>

namespace plaudit {

// range(true - lambda learned) at one lambda, and a slope of it there.
struct RangeLine {
  double at, height, slope;
  double operator()(double lambda) const { return height + slope * (lambda - at); }
};

// The minimum, in [0,1], by cutting planes: the crossing of the two bracketing lines is tried until it lies
// on the curve within 1e-10.
double least_range(const std::function<RangeLine(double lambda)>& line);

}  // namespace plaudit
