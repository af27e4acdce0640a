// Samples that belong together: the answers to one prompt.
//
// `group` [B] holds any integers; equal numbers are one group and need not be neighbours. The tensor
// functions have static shapes, so they trace and run on any device.
#pragma once

#include <vector>

#include "plaudit/core/checks.h"

namespace plaudit {

// Checks rewards [B] and group [B]: not empty, shapes alike, rewards finite, group of an integer type (kind
// type).
void check_grouped(const Check& check, const Tensor& rewards, const Tensor& group);

// Group sums seen from each member, [B]: out_i = sum of x_j over j in i's group.
class GroupSums {
 public:
  explicit GroupSums(const Tensor& group);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor id_;  // [B] i64 in [0, B): groups numbered by ascending value
};

// The members of each group in index order, groups by ascending value; reads the values.
std::vector<std::vector<int64_t>> group_members(const Tensor& group);

}  // namespace plaudit
