#include "plaudit/data/selection.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/tensors.h"

namespace plaudit {

TopK top_k(const Tensor& rewards, int64_t k, const std::optional<Tensor>& valid) {
  const Check check("filter.top_k");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 2);
  if (valid) check.same_shape("rewards", rewards, "valid", *valid);
  const auto usable = valid ? valid->ne(0) : at::ones_like(rewards, at::kBool);
  const auto r = at::where(usable, as_real(rewards), -std::numeric_limits<double>::infinity());
  check.no_nan("rewards", r);
  check.that(k >= 1 && k <= rewards.size(1), "k", fmt::format("in [1, {}]", rewards.size(1)), k);
  // Two stable sorts: by reward, then the usable ones to the front.
  const auto by_reward = r.argsort(/*stable=*/true, 1, /*descending=*/true);
  const auto usable_first =
      usable.gather(1, by_reward).to(at::kInt).argsort(/*stable=*/true, 1, /*descending=*/true);
  const auto order = by_reward.gather(1, usable_first).slice(1, 0, k);
  const auto found = usable.gather(1, order);
  return {at::where(found, order, -1), at::where(found, r.gather(1, order), 0.0)};
}

std::vector<std::pair<int64_t, int64_t>> margin_pairs(const Tensor& scores, const Tensor& teacher,
                                                      const MarginPairOptions& options) {
  const Check check("filter.margin_pairs");
  check.not_empty("scores", scores);
  check.not_empty("teacher", teacher);
  check.dim("scores", scores, 1);
  check.same_shape("scores", scores, "teacher", teacher);
  check.finite("scores", scores);
  check.no_nan("teacher", teacher);
  const auto s = on_cpu_f64(scores);
  const auto by_teacher = teacher.ne(0).cpu().contiguous();
  const auto* score = s.const_data_ptr<double>();
  const auto* from_teacher = by_teacher.const_data_ptr<bool>();
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (int64_t i = 0; i < s.size(0); ++i) {
    if (score[i] < options.min_positive || (options.teacher_positive_only && !from_teacher[i])) continue;
    const double margin = from_teacher[i] ? options.margin_teacher : options.margin_student;
    for (int64_t j = 0; j < s.size(0); ++j) {
      if (j == i || (options.teacher_positive_only && from_teacher[j])) continue;
      if (score[i] - score[j] >= margin) pairs.emplace_back(i, j);
    }
  }
  return pairs;
}

std::vector<int64_t> history_mix(const std::vector<int64_t>& history_sizes, double first, double decay) {
  const Check check("filter.history_mix");
  check.that(first >= 0 && first <= 1, "first", "in [0, 1]", first);
  check.that(decay >= 0 && decay <= 1, "decay", "in [0, 1]", decay);
  std::vector<int64_t> counts(history_sizes.size());
  double share = first;
  for (size_t i = history_sizes.size(); i-- > 0; share *= decay) {
    check.that(history_sizes[i] >= 0, "history_sizes", "made of sizes >= 0", history_sizes[i]);
    // A product such as 0.3 * 10 must not fall to 2.
    counts[i] = static_cast<int64_t>(std::floor(share * static_cast<double>(history_sizes[i]) + 1e-9));
  }
  return counts;
}

PLAUDIT_FUNCTIONS(filter, m) {
  m.def("top_k(Tensor rewards, int k, Tensor? valid=None) -> (Tensor indices, Tensor scores)",
        [](const Tensor& rewards, int64_t k, const std::optional<Tensor>& valid) {
          return as_tuple(top_k(rewards, k, valid));
        },
        "The k best answers to each prompt.", {"43"});
  m.def(
      "margin_pairs(Tensor scores, Tensor teacher, float min_positive=5., float margin_teacher=2., float "
      "margin_student=1., bool teacher_positive_only=False) -> (int[][] pairs)",
      [](const Tensor& scores, const Tensor& teacher, double min_positive, double margin_teacher,
         double margin_student, bool teacher_positive_only) {
        std::vector<std::vector<int64_t>> lists;
        for (const auto& [positive, negative] : margin_pairs(
                 scores, teacher, {min_positive, margin_teacher, margin_student, teacher_positive_only}))
          lists.push_back({positive, negative});
        return lists;
      },
      "Pairs of answers with a clear margin, teacher and student apart.", {"56"});
  m.def("history_mix(int[] history_sizes, float first=0.3, float decay=0.5) -> (int[] counts)",
        [](at::IntArrayRef sizes, double first, double decay) {
          return history_mix(sizes.vec(), first, decay);
        },
        "How many pairs of each earlier round to replay.", {"56"});
}

}  // namespace plaudit
