#include "plaudit/eval/answer_reward_distance.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"
#include "plaudit/eval/least_range.h"
#include "plaudit/eval/reward_distance.h"
#include "plaudit/objective/groups.h"

namespace plaudit {
namespace {

void check_grouped_pair(const Check& check, const char* name_a, const Tensor& a, const char* name_b,
                        const Tensor& b, const Tensor& group) {
  check_grouped(check, a, group);
  check.same_shape(name_a, a, name_b, b);
  check.finite(name_a, a);
  check.finite(name_b, b);
}

// Best and worst answer of each prompt under a reward, as policies: their values are means over prompts.
class AnswerPolicies {
 public:
  explicit AnswerPolicies(const Tensor& group) : members_(group_members(group)) {}

  // The first best answer of each prompt.
  std::vector<int64_t> best(const Tensor& rewards, double sign = 1) const {
    const auto* r = rewards.const_data_ptr<double>();
    std::vector<int64_t> out;
    for (const auto& answers : members_)
      out.push_back(*std::max_element(answers.begin(), answers.end(),
                                      [&](int64_t i, int64_t j) { return sign * r[i] < sign * r[j]; }));
    return out;
  }
  double value(const std::vector<int64_t>& policy, const Tensor& rewards) const {
    const auto* r = rewards.const_data_ptr<double>();
    double sum = 0;
    for (const auto i : policy) sum += r[i];
    return sum / static_cast<double>(policy.size());
  }
  double range(const Tensor& rewards) const {
    return value(best(rewards), rewards) - value(best(rewards, -1), rewards);
  }
  RangeLine line(const Tensor& truth, const Tensor& learned, double lambda) const {
    const Tensor mixed = truth - lambda * learned;
    const auto top = best(mixed), bottom = best(mixed, -1);
    return {lambda, value(top, mixed) - value(bottom, mixed), value(bottom, learned) - value(top, learned)};
  }

 private:
  std::vector<std::vector<int64_t>> members_;
};

}  // namespace

Tensor canonicalise_answers(const Tensor& rewards, const Tensor& group) {
  const Check check("reward.canonicalise_answers");
  check_grouped(check, rewards, group);
  const auto r = on_cpu_f64(rewards);
  const GroupSums sums(group.cpu());
  return r - sums(r) / sums(at::ones_like(r));
}

Tensor answer_weights(const Tensor& group) {
  const Check check("reward.answer_weights");
  const auto ones = at::ones(group.sizes(), at::kDouble);
  check_grouped(check, ones, group);
  const auto share = 1 / GroupSums(group.cpu())(ones);
  return share / share.sum();
}

Tensor weighted_distance(const Tensor& canonical_a, const Tensor& canonical_b, const Tensor& weights,
                         double order) {
  const Check check("reward.weighted_distance");
  check_elementwise(check,
                    {{"canonical_a", canonical_a}, {"canonical_b", canonical_b}, {"weights", weights}});
  check.that(order == 1 || order == 2 || std::isinf(order), "order", "1, 2 or infinity",
             fmt::format("{}", order));
  const auto w = on_cpu_f64(weights);
  const auto norm = [&](const Tensor& x) {
    if (std::isinf(order)) return x.abs().max();
    return order == 1 ? (w * x.abs()).sum() : (w * x.square()).sum().sqrt();
  };
  const auto unit = [&](const Tensor& t) {
    const auto x = on_cpu_f64(t), size = norm(x);
    return x / at::where(size <= kTrivial, at::ones_like(size), size);
  };
  return norm(unit(canonical_a) - unit(canonical_b));
}

Tensor answer_distance(const Tensor& rewards_a, const Tensor& rewards_b, const Tensor& group, double order) {
  const Check check("reward.answer_distance");
  check_grouped_pair(check, "rewards_a", rewards_a, "rewards_b", rewards_b, group);
  return weighted_distance(canonicalise_answers(rewards_a, group), canonicalise_answers(rewards_b, group),
                           answer_weights(group), order);
}

AnswerRegret answer_regret(const Tensor& rewards_true, const Tensor& rewards_learned, const Tensor& group) {
  const Check check("reward.answer_regret");
  check_grouped_pair(check, "rewards_true", rewards_true, "rewards_learned", rewards_learned, group);
  const AnswerPolicies policies(group.cpu());
  const auto truth = on_cpu_f64(rewards_true), learned = on_cpu_f64(rewards_learned);
  const double true_range = policies.range(truth), learned_range = policies.range(learned);
  const auto result = [](double x) { return at::scalar_tensor(x, at::kDouble); };
  if (true_range <= kTrivial) return {result(0), result(0)};
  const double lost =
      (policies.value(policies.best(truth), truth) - policies.value(policies.best(learned), truth)) /
      true_range;
  if (learned_range <= kTrivial) return {result(1), result(lost)};
  const Tensor scaled = truth / true_range, scaled_learned = learned / learned_range;
  return {result(least_range([&](double lambda) { return policies.line(scaled, scaled_learned, lambda); })),
          result(lost)};
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("canonicalise_answers(Tensor rewards, Tensor group) -> (Tensor canonical)", &canonicalise_answers,
        "Rewards less the mean over the answers to the prompt.", {"27"});
  m.def(
      "answer_distance(Tensor rewards_a, Tensor rewards_b, Tensor group, float order=2.) -> (Tensor "
      "distance)",
      &answer_distance, "The STARC distance of two rewards of the same answers.", {"27"});
  m.def(
      "answer_regret(Tensor rewards_true, Tensor rewards_learned, Tensor group) -> (Tensor worst_case, "
      "Tensor "
      "best)",
      [](const Tensor& truth, const Tensor& learned, const Tensor& group) {
        return as_tuple(answer_regret(truth, learned, group));
      },
      "What answers lose of one reward when another chooses them.", {"27"});
}

}  // namespace plaudit
