#include "plaudit/objective/policy_filtration.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/tensors.h"
#include "plaudit/objective/groups.h"

namespace plaudit {
namespace {

using Members = std::vector<int64_t>;

std::vector<double> as_doubles(const Tensor& t) {
  const auto d = on_cpu_f64(t);
  return {d.const_data_ptr<double>(), d.const_data_ptr<double>() + d.numel()};
}

int64_t best_of(const Members& members, const std::vector<double>& rewards) {
  int64_t best = members.front();
  for (const auto i : members) {
    if (rewards[i] > rewards[best]) best = i;
  }
  return best;
}

int64_t worst_of(const Members& members, const std::vector<double>& rewards) {
  int64_t worst = members.front();
  for (const auto i : members) {
    if (rewards[i] <= rewards[worst]) worst = i;
  }
  return worst;
}

// The members of one group to keep, in order; `uniform` draws among the others.
Members kept(const Members& members, const std::vector<double>& rewards, const std::string& method,
             double uniform) {
  if (method == "all") return members;
  const auto best = best_of(members, rewards);
  if (method == "best" || members.size() == 1) return {best};
  if (method == "best_worst") return {best, worst_of(members, rewards)};
  Members others;
  for (const auto i : members) {
    if (i != best) others.push_back(i);
  }
  return {best, others[static_cast<size_t>(std::floor(uniform * static_cast<double>(others.size())))]};
}

}  // namespace

Tensor policy_filtration_weights(const Tensor& rewards, const Tensor& group, const std::string& method,
                                 double power) {
  const Check check("filter.policy_filtration_weights");
  check_grouped(check, rewards, group);
  check.choice("method", method, {"all", "best", "best_worst", "best_random", "power"});
  check.that(power >= 0, "power", ">= 0", power);
  const auto r = as_real(rewards).detach();
  if (method == "all") return at::ones_like(r);
  if (method == "power") return r.abs().pow(power);
  const auto values = as_doubles(r);
  std::vector<double> weights(values.size(), 0);
  for (const auto& members : group_members(group)) {
    if (method == "best_random") {
      for (const auto i : members) weights[i] = 1 / static_cast<double>(members.size() - 1);
      weights[best_of(members, values)] = 1;
    } else {
      for (const auto i : kept(members, values, method, 0)) weights[i] = 1;
    }
  }
  return at::tensor(weights, at::kDouble).to(r.options());
}

Tensor policy_filtration_pick(const Tensor& rewards, const Tensor& group, const Tensor& uniforms,
                              const std::string& method) {
  const Check check("filter.policy_filtration_pick");
  check_grouped(check, rewards, group);
  check.not_empty("uniforms", uniforms);
  check.dim("uniforms", uniforms, 1);
  const auto groups = group_members(group);
  if (uniforms.size(0) != static_cast<int64_t>(groups.size()))
    check.refuse(ErrorKind::shape, "uniforms",
                 fmt::format("must hold one number for each of {} groups, got shape {}", groups.size(),
                             shape_of(uniforms)));
  check.finite("uniforms", uniforms);
  const auto values = as_doubles(rewards), draws = as_doubles(uniforms);
  for (const auto u : draws) check.that(u >= 0 && u < 1, "uniforms", "in [0, 1)", u);
  check.choice("method", method, {"all", "best", "best_worst", "best_random"});
  Members indices;
  for (size_t g = 0; g < groups.size(); ++g) {
    const auto keep = kept(groups[g], values, method, draws[g]);
    indices.insert(indices.end(), keep.begin(), keep.end());
  }
  return at::tensor(indices, at::kLong).to(rewards.device());
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def(
      "policy_filtration_weights(Tensor rewards, Tensor group, str method='all', float power=2.) -> (Tensor "
      "weights)",
      &policy_filtration_weights, "Weights that keep the answers whose reward can be trusted.", {"30"});
  m.def(
      "policy_filtration_pick(Tensor rewards, Tensor group, Tensor uniforms, str method) -> (Tensor indices)",
      &policy_filtration_pick, "The answers of each prompt whose reward can be trusted.", {"30"});
}

}  // namespace plaudit
