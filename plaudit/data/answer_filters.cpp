#include "plaudit/data/answer_filters.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"
#include "plaudit/data/text.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

// The longest run of characters without blank and newline, and the number of characters.
std::pair<size_t, size_t> longest_run(const std::string& text) {
  size_t run = 0, longest = 0, count = 0;
  for (size_t pos = 0; pos < text.size(); ++count) {
    const auto c = next_code_point(text, pos);
    run = c == ' ' || c == '\n' ? 0 : run + 1;
    longest = std::max(longest, run);
  }
  return {longest, count};
}

// The mean of the two middle values where their number is even.
double middle_value(const Tensor& x) {
  const auto sorted = std::get<0>(x.sort());
  const auto n = sorted.numel();
  return (sorted[(n - 1) / 2].item<double>() + sorted[n / 2].item<double>()) / 2;
}

void check_pair(const Check& check, std::string_view a, const Tensor& ta, std::string_view b,
                const Tensor& tb) {
  check.not_empty(a, ta);
  check.dim(a, ta, 1);
  check.same_shape(a, ta, b, tb);
  check.finite(a, ta);
  check.finite(b, tb);
}

}  // namespace

LengthFilter filter_chosen_length(const Tensor& chosen_length, const Tensor& rejected_length,
                                  double max_ratio) {
  const Check check("filter.chosen_length");
  check_pair(check, "chosen_length", chosen_length, "rejected_length", rejected_length);
  check.range("chosen_length", chosen_length, 0, INFINITY);
  check.range("rejected_length", rejected_length, 0, INFINITY);
  check.that(max_ratio > 0, "max_ratio", "> 0", max_ratio);
  const auto keep = as_real(chosen_length).le(max_ratio * as_real(rejected_length));
  return {keep, keep.to(at::kDouble).mean()};
}

RewardFilter filter_low_reward(const Tensor& scores, const std::string& mode, double value) {
  const Check check("filter.low_reward");
  check.not_empty("scores", scores);
  check.dim("scores", scores, 1);
  check.finite("scores", scores);
  check.choice("mode", mode, {"quantile", "threshold", "mad"});
  const auto s = as_real(scores).to(at::kCPU, at::kDouble);
  if (mode == "quantile") {
    check.that(value >= 0 && value < 1, "value", "in [0, 1)", value);
    const auto order = at::argsort(s, /*stable=*/true, 0, /*descending=*/false);
    const auto dropped = static_cast<int64_t>(std::floor(value * static_cast<double>(s.numel()) + 1e-9));
    auto keep = at::ones({s.numel()}, at::kBool);
    keep.index_fill_(0, order.slice(0, 0, dropped), 0);
    return {keep, s[order[dropped].item<int64_t>()].item<double>()};
  }
  double threshold = value;
  if (mode == "mad") {
    check.that(value >= 0, "value", ">= 0", value);
    const double middle = middle_value(s);
    threshold = middle - value * 1.4826 * middle_value((s - middle).abs());
  }
  check.that(std::isfinite(threshold), "value", "finite", value);
  return {s.ge(threshold), threshold};
}

std::vector<bool> check_responses(const std::vector<std::string>& responses) {
  if (responses.empty()) Check("filter.response_check").refuse(ErrorKind::empty, "response", "holds no text");
  std::vector<bool> keep;
  for (const auto& raw : responses) {
    const auto text = repair_utf8(raw);
    const bool marker =
        text.find("<|im_start|>") != std::string::npos || text.find("<|im_end|>") != std::string::npos;
    const auto [run, count] = longest_run(text);
    keep.push_back(!strip(text).empty() && !marker && !(count > 500 && run > 100));
  }
  return keep;
}

Tensor keep_labelled_pairs(const Tensor& labels, const Tensor& image_distance, double min_distance) {
  const Check check("filter.keep_labelled_pairs");
  check_pair(check, "labels", labels, "image_distance", image_distance);
  check.that(std::isfinite(min_distance), "min_distance", "finite", min_distance);
  return labels.ge(0).logical_and(image_distance.ge(min_distance)).nonzero().squeeze(1);
}

MixedPairs correct_incorrect_pairs(const Tensor& rewards, const Tensor& uniforms) {
  const Check check("filter.correct_incorrect_pairs");
  check.not_empty("rewards", rewards);
  check.not_empty("uniforms", uniforms);
  check_sizes(check, {{"rewards", rewards, "PK"}, {"uniforms", uniforms, "PU"}});
  check.shape("uniforms", uniforms, {-1, 2});
  check.finite("rewards", rewards);
  check.finite("uniforms", uniforms);
  const auto u = on_cpu_f64(uniforms);
  for (int64_t i = 0; i < u.numel(); ++i) {
    const double draw = u.const_data_ptr<double>()[i];
    check.that(draw >= 0 && draw < 1, "uniforms", "in [0, 1)", draw);
  }
  const auto right = rewards.to(at::kCPU).gt(0);
  std::vector<int64_t> indices, prompts;
  for (int64_t p = 0; p < right.size(0); ++p) {
    const auto correct = right[p].nonzero().squeeze(1), wrong = right[p].logical_not().nonzero().squeeze(1);
    if (correct.numel() == 0 || wrong.numel() == 0) continue;
    prompts.push_back(p);
    for (const auto& [choices, which] : {std::pair{correct, 0}, {wrong, 1}}) {
      const double draw = u.const_data_ptr<double>()[2 * p + which];
      const auto pick = static_cast<int64_t>(std::floor(draw * static_cast<double>(choices.numel())));
      indices.push_back(choices[pick].item<int64_t>());
    }
  }
  return {at::tensor(indices, at::kLong).view({-1, 2}), at::tensor(prompts, at::kLong),
          right.to(at::kDouble).mean(1)};
}

Tensor difficulty_repeat(const Tensor& pass_rate) {
  const Check check("filter.difficulty_repeat");
  check.not_empty("pass_rate", pass_rate);
  check.finite("pass_rate", pass_rate);
  check.range("pass_rate", pass_rate, 0, 1);
  const auto p = as_real(pass_rate);
  const auto count = [&](double bound, int64_t extra) { return p.lt(bound).to(at::kLong) * extra; };
  return count(0.2, 2) + count(0.6, 2) + count(0.8, 2);
}

namespace {}  // namespace

PLAUDIT_FUNCTIONS(filter, m) {
  m.def(
      "chosen_length(Tensor chosen_length, Tensor rejected_length, float max_ratio=2.) -> (Tensor keep, "
      "Tensor "
      "kept_fraction)",
      [](const Tensor& chosen, const Tensor& rejected, double max_ratio) {
        return as_tuple(filter_chosen_length(chosen, rejected, max_ratio));
      },
      "Pairs whose chosen answer is not much longer than the rejected one.", {"44"});
  m.def("low_reward(Tensor scores, str mode, float value) -> (Tensor keep, float threshold)",
        [](const Tensor& scores, const std::string& mode, double value) {
          return as_tuple(filter_low_reward(scores, mode, value));
        },
        "Samples whose score is not among the lowest.", {"44"});
  m.def("response_check(str[] response) -> (bool[] keep)",
        [](const std::vector<std::string>& responses) { return flag_list(check_responses(responses)); },
        "Answers without markers, blanks only or endless words.", {"44"});
  m.def(
      "keep_labelled_pairs(Tensor labels, Tensor image_distance, float min_distance=0.001) -> (Tensor "
      "indices)",
      &keep_labelled_pairs, "Pairs with a label and different images.", {"11"});
  m.def(
      "correct_incorrect_pairs(Tensor rewards, Tensor uniforms) -> (Tensor indices, Tensor prompts, Tensor "
      "pass_rate)",
      [](const Tensor& rewards, const Tensor& uniforms) {
        return as_tuple(correct_incorrect_pairs(rewards, uniforms));
      },
      "A right and a wrong answer of every prompt that has both.", {"39"});
  m.def("difficulty_repeat(Tensor pass_rate) -> (Tensor repeats)", &difficulty_repeat,
        "How often to repeat a question, by its pass rate.", {"39"});
}

}  // namespace plaudit
