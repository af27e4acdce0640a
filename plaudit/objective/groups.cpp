#include "plaudit/objective/groups.h"

#include <ATen/ATen.h>

#include <map>

namespace plaudit {

void check_grouped(const Check& check, const Tensor& rewards, const Tensor& group) {
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 1);
  check.same_shape("rewards", rewards, "group", group);
  if (group.is_floating_point()) check.refuse(ErrorKind::type, "group", "must hold integers");
  check.finite("rewards", rewards);
}

GroupSums::GroupSums(const Tensor& group) {
  const auto order = at::argsort(group, /*stable=*/true, 0, /*descending=*/false);
  const auto sorted = group.index_select(0, order);
  const auto changes =
      at::constant_pad_nd(sorted.slice(0, 1).ne(sorted.slice(0, 0, -1)).to(at::kLong), {1, 0});
  id_ = at::zeros_like(order).index_put({order}, changes.cumsum(0));
}

Tensor GroupSums::operator()(const Tensor& x) const {
  return at::zeros_like(x).index_add(0, id_, x).index_select(0, id_);
}

std::vector<std::vector<int64_t>> group_members(const Tensor& group) {
  const auto ids = group.to(at::kCPU, at::kLong).contiguous();
  std::map<int64_t, std::vector<int64_t>> by_value;
  for (int64_t i = 0; i < ids.numel(); ++i) by_value[ids.const_data_ptr<int64_t>()[i]].push_back(i);
  std::vector<std::vector<int64_t>> members;
  for (auto& [value, indices] : by_value) members.push_back(std::move(indices));
  return members;
}

}  // namespace plaudit
