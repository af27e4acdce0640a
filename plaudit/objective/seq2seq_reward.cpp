#include "plaudit/objective/seq2seq_reward.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/tokens.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

// A log-probability above this is no rounding of 0.
constexpr double kSlack = 1e-6;

void check_logps(const Check& check, std::string_view name, const Tensor& logps, const Tensor& mask) {
  if (!readable(logps)) return;
  const auto most = keep_valid(logps, mask).max().item<double>();
  check.that(most <= kSlack, name, "<= 0", most);
}

Tensor negative_loglik(const Tensor& logps, const Tensor& mask, bool per_token) {
  const auto kept = keep_valid(as_real(logps), mask);
  return per_token ? -masked_mean(kept, mask) : -kept.sum(1).mean();
}

// Walks a longest common subsequence from the start, skipping in `a` first where both ways are as long.
std::vector<bool> keep_lcs(const Ids& a, const Ids& b) {
  const size_t width = b.size() + 1;
  std::vector<int64_t> length((a.size() + 1) * width);  // of the suffixes a[i:], b[j:]
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      length[i * width + j] = a[i] == b[j] ? length[(i + 1) * width + j + 1] + 1
                                           : std::max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  std::vector<bool> keep(a.size());
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      keep[i] = true;
      ++i, ++j;
    } else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return keep;
}

std::vector<bool> keep_tokens(const Ids& a, const Ids& b, const std::string& align) {
  if (align == "lcs") return keep_lcs(a, b);
  std::vector<bool> keep(a.size());
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    keep[i] = a[i] == b[i];
    if (align == "prefix" && !keep[i]) break;
  }
  return keep;
}

void check_feedback(const Check& check, const std::vector<Ids>& response, const std::vector<Ids>& correction,
                    const FeedbackOptions& options) {
  if (response.empty()) check.refuse(ErrorKind::empty, "response", "is empty");
  for (size_t i = 0; i < response.size(); ++i) {
    if (response[i].empty()) check.refuse(ErrorKind::empty, "response", fmt::format("[{}] is empty", i));
  }
  if (response.size() != correction.size())
    check.refuse(ErrorKind::shape, "correction",
                 fmt::format("has {} rows for {} responses", correction.size(), response.size()));
  check.choice("align", options.align, {"lcs", "prefix", "position"});
}

}  // namespace

Seq2seqLoss seq2seq_rm_loss(const Tensor& correction_logps, const Tensor& correction_mask,
                            const Tensor& identity_logps, const Tensor& identity_mask,
                            const Seq2seqLossOptions& options) {
  const Check check("preference.seq2seq_rm_loss");
  check_tokens(check, {{"correction_logps", correction_logps}}, correction_mask, ValidRows::every,
               "correction_mask");
  check_tokens(check, {{"identity_logps", identity_logps}}, identity_mask, ValidRows::every, "identity_mask");
  check_logps(check, "correction_logps", correction_logps, correction_mask);
  check_logps(check, "identity_logps", identity_logps, identity_mask);
  check.that(options.identity_weight >= 0, "identity_weight", ">= 0", options.identity_weight);
  check.choice("normalize", options.normalize, {"sequence", "token"});
  const bool per_token = options.normalize == "token";
  const auto correction = negative_loglik(correction_logps, correction_mask, per_token);
  const auto identity = negative_loglik(identity_logps, identity_mask, per_token);
  return {correction + options.identity_weight * identity, correction, identity};
}

Tensor identity_score(const Tensor& identity_logps, const Tensor& mask) {
  const Check check("reward.identity_score");
  check_tokens(check, {{"identity_logps", identity_logps}}, mask, ValidRows::every);
  return masked_mean(as_real(identity_logps), mask, 1);
}

ShapedFeedback token_feedback_shaping(const Tensor& feedback, const Tensor& logps, const Tensor& ref_logps,
                                      const Tensor& mask, const ShapingOptions& options) {
  const Check check("reward.token_feedback_shaping");
  check_tokens(check, {{"feedback", feedback}, {"logps", logps}, {"ref_logps", ref_logps}}, mask,
               ValidRows::every);
  if (options.terminal) {
    check.dim("terminal", *options.terminal, 1);
    check.same_size("feedback", feedback, 0, "terminal", *options.terminal, 0);
    check.finite("terminal", *options.terminal);
  }
  check.that(options.kl_coef >= 0, "kl_coef", ">= 0", options.kl_coef);
  auto rewards = keep_valid(as_real(feedback), mask);
  if (options.length_normalize) rewards = rewards / valid(mask).sum(1, true);
  rewards = rewards - options.kl_coef * keep_valid(as_real(logps) - as_real(ref_logps), mask);
  if (options.terminal)
    rewards = rewards + is_last_valid(mask) * options.terminal->to(rewards.scalar_type()).unsqueeze(1);
  return {rewards, rewards.sum(1)};
}

SequenceFeedback sequence_feedback(const std::vector<Ids>& response, const std::vector<Ids>& correction,
                                   const FeedbackOptions& options) {
  const Check check("reward.sequence_feedback");
  check_feedback(check, response, correction, options);
  const auto rows = static_cast<int64_t>(response.size());
  size_t longest = 0;
  for (const auto& ids : response) longest = std::max(longest, ids.size());
  const auto keep = at::zeros({rows, static_cast<int64_t>(longest)}, at::kLong);
  const auto reward = at::zeros(keep.sizes(), at::kDouble), fraction = at::zeros({rows}, at::kDouble);
  for (size_t row = 0; row < response.size(); ++row) {
    auto* keep_row = keep.mutable_data_ptr<int64_t>() + row * longest;
    auto* reward_row = reward.mutable_data_ptr<double>() + row * longest;
    const auto kept = keep_tokens(response[row], correction[row], options.align);
    for (size_t i = 0; i < kept.size(); ++i) {
      keep_row[i] = kept[i];
      reward_row[i] = kept[i] ? options.positive : options.negative;
    }
    fraction.mutable_data_ptr<double>()[row] =
        static_cast<double>(std::count(kept.begin(), kept.end(), true)) / static_cast<double>(kept.size());
  }
  return {keep, reward, fraction};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "seq2seq_rm_loss(Tensor correction_logps, Tensor correction_mask, Tensor identity_logps, Tensor "
      "identity_mask, float identity_weight=1., str normalize='sequence') -> (Tensor loss, Tensor "
      "correction, "
      "Tensor identity)",
      [](const Tensor& correction, const Tensor& correction_mask, const Tensor& identity,
         const Tensor& identity_mask, double weight, std::string normalize) {
        return as_tuple(seq2seq_rm_loss(correction, correction_mask, identity, identity_mask,
                                        {weight, std::move(normalize)}));
      },
      "Likelihood loss of a reward model that rewrites answers.", {"51"});
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("identity_score(Tensor identity_logps, Tensor mask) -> (Tensor score)", &identity_score,
        "Mean log-probability of leaving an answer unchanged.", {"51"});
  m.def(
      "token_feedback_shaping(Tensor feedback, Tensor logps, Tensor ref_logps, Tensor mask, float "
      "kl_coef=0.05, bool length_normalize=False, Tensor? terminal=None) -> (Tensor rewards, Tensor returns)",
      [](const Tensor& feedback, const Tensor& logps, const Tensor& ref_logps, const Tensor& mask,
         double kl_coef, bool length_normalize, std::optional<Tensor> terminal) {
        return as_tuple(token_feedback_shaping(feedback, logps, ref_logps, mask,
                                               {kl_coef, length_normalize, std::move(terminal)}));
      },
      "Token rewards from token feedback and a KL penalty.", {"51"});
  m.def(
      "sequence_feedback(int[][] response, int[][] correction, str align='lcs', float positive=1., float "
      "negative=-1.) -> (Tensor keep, Tensor reward, Tensor kept_fraction)",
      [](const std::vector<Ids>& response, const std::vector<Ids>& correction, std::string align,
         double positive, double negative) {
        return as_tuple(sequence_feedback(response, correction, {std::move(align), positive, negative}));
      },
      "Which tokens of an answer a rewrite keeps.", {"51"});
}

}  // namespace plaudit
