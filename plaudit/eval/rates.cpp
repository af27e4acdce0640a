#include "plaudit/eval/rates.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"

namespace plaudit {

SuccessRate success_rate(const Tensor& success, const Tensor& mask) {
  const Check check("eval.success_rate");
  check.not_empty("success", success);
  check.not_empty("mask", mask);
  check.dim("success", success, 2);
  check.same_shape("success", success, "mask", mask);
  check.finite_where("success", success, mask);
  const auto ok = valid(mask), hit = success.ne(0).logical_and(ok);
  const auto length = ok.sum(1, true);
  const auto position = at::arange(success.size(1), length.options());
  return {hit.any(1).to(at::kDouble).mean(), at::where(hit, position, length).amin(1)};
}

Neighbours top_k_cosine(const Tensor& query, const Tensor& keys, int64_t k) {
  const Check check("eval.top_k_cosine");
  check.not_empty("query", query);
  check.not_empty("keys", keys);
  check_sizes(check, {{"query", query, "D"}, {"keys", keys, "ND"}});
  check.finite("query", query);
  check.finite("keys", keys);
  check.that(k >= 1, "k", ">= 1", k);
  const auto q = as_real(query), all = as_real(keys).to(q.scalar_type());
  const auto length = [](const Tensor& x) { return at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}); };
  if (readable(q) && length(q).item<double>() == 0) check.refuse(ErrorKind::value, "query", "has length 0");
  if (readable(all) && length(all).eq(0).any().item<bool>())
    check.refuse(ErrorKind::value, "keys", "holds a vector of length 0");
  const auto scores = all.matmul(q) / (length(all) * length(q));
  const auto order =
      at::argsort(scores, /*stable=*/true, 0, /*descending=*/true).slice(0, 0, std::min(k, keys.size(0)));
  return {order, scores.index_select(0, order)};
}

GroupedAccuracy grouped_accuracy(const Tensor& correct, const Tensor& group, int64_t groups) {
  const Check check("eval.grouped_accuracy");
  check.not_empty("correct", correct);
  check.dim("correct", correct, 1);
  check.same_shape("correct", correct, "group", group);
  if (group.is_floating_point()) check.refuse(ErrorKind::type, "group", "must hold integers");
  check.finite("correct", correct);
  check.that(groups >= 1, "groups", ">= 1", groups);
  check.index_range("group", group, 0, groups);
  const auto right = as_real(correct).to(at::kDouble);
  const auto zeros = at::zeros({groups}, right.options());
  const auto count = zeros.index_add(0, group, at::ones_like(right));
  const auto share = zeros.index_add(0, group, right) / count;
  return {share, right.mean(), at::nanmean(share)};
}

StyleMatrix style_matrix(const Tensor& chosen_scores, const Tensor& rejected_scores) {
  const Check check("eval.style_matrix");
  check.not_empty("chosen_scores", chosen_scores);
  check.not_empty("rejected_scores", rejected_scores);
  check.shape("chosen_scores", chosen_scores, {-1, 3});
  check.same_shape("chosen_scores", chosen_scores, "rejected_scores", rejected_scores);
  check.finite("chosen_scores", chosen_scores);
  check.finite("rejected_scores", rejected_scores);
  const auto matrix =
      as_real(chosen_scores).unsqueeze(2).gt(as_real(rejected_scores).unsqueeze(1)).to(at::kDouble).mean(0);
  const auto hard = matrix.triu(1).sum() / 3, easy = matrix.tril(-1).sum() / 3,
             normal = matrix.diagonal().mean();
  return {(hard + normal + easy) / 3, easy, hard, matrix, normal};
}

LabelCoverage preference_label_accuracy(const Tensor& labels, const Tensor& truth) {
  const Check check("eval.preference_label_accuracy");
  check.alike({{"labels", labels}, {"truth", truth}}, 1);
  const auto decided = labels.ge(0);
  if (!decided.any().item<bool>()) check.refuse(ErrorKind::empty, "labels", "are all undecided");
  const auto right = as_real(labels).eq(as_real(truth)).logical_and(decided);
  return {right.sum().to(at::kDouble) / decided.sum(), decided.to(at::kDouble).mean()};
}

PLAUDIT_FUNCTIONS(eval, m) {
  m.def("success_rate(Tensor success, Tensor mask) -> (Tensor rate, Tensor first_success_step)",
        [](const Tensor& success, const Tensor& mask) { return as_tuple(success_rate(success, mask)); },
        "Share of episodes that succeed at some step.", {"28"});
  m.def("top_k_cosine(Tensor query, Tensor keys, int k=3) -> (Tensor indices, Tensor scores)",
        [](const Tensor& query, const Tensor& keys, int64_t k) {
          return as_tuple(top_k_cosine(query, keys, k));
        },
        "The stored vectors most similar to a query.", {"28"});
  m.def(
      "grouped_accuracy(Tensor correct, Tensor group, int groups) -> (Tensor group, Tensor overall, Tensor "
      "macro)",
      [](const Tensor& correct, const Tensor& group, int64_t groups) {
        return as_tuple(grouped_accuracy(correct, group, groups));
      },
      "Accuracy per group and its plain and macro means.", {"44"});
  m.def(
      "style_matrix(Tensor chosen_scores, Tensor rejected_scores) -> (Tensor average, Tensor easy, Tensor "
      "hard, "
      "Tensor matrix, Tensor normal)",
      [](const Tensor& chosen, const Tensor& rejected) { return as_tuple(style_matrix(chosen, rejected)); },
      "RM-Bench: accuracy for every pair of styles.", {"44"});
  m.def("preference_label_accuracy(Tensor labels, Tensor truth) -> (Tensor accuracy, Tensor coverage)",
        [](const Tensor& labels, const Tensor& truth) {
          return as_tuple(preference_label_accuracy(labels, truth));
        },
        "Accuracy of the labels that were decided.", {"11"});
}

}  // namespace plaudit
