#include "plaudit/reward/reward_model.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/rng.h"
#include "plaudit/model/answer_batch.h"

namespace plaudit {
namespace {

constexpr const char* kWhere = "reward_model";
constexpr double kEqualScores = 1e-5;  // of the largest score: a spread below is rounding

// Answers that follow each other and have one prompt, tokenised together, with their places in the input.
struct Group {
  TokenizedAnswers example;
  std::vector<size_t> places;
};

// Encodes answers one by one, so that one that cannot be scored spoils no other.
std::vector<Group> group_answers(const std::vector<Answer>& answers, AnswerEncoder& encoder,
                                 std::vector<Judgement>& judgements) {
  std::vector<Group> groups;
  for (size_t i = 0; i < answers.size(); ++i) {
    std::optional<TokenizedAnswers> example;
    try {
      example = encoder.encode("answer", answers[i].prompt, {answers[i].text});
      if (!example) judgements[i].error = "is above max_length";
    } catch (const UserError& error) {
      judgements[i].error = message_of(error);
    }
    if (!example) continue;
    if (groups.empty() || groups.back().example.prompt != example->prompt)
      groups.push_back({{std::move(example->prompt), {}}, {}});
    groups.back().example.answers.push_back(std::move(example->answers.front()));
    groups.back().places.push_back(i);
  }
  // Similar lengths side by side.
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.example.tokens() > b.example.tokens(); });
  return groups;
}

}  // namespace

template <>
void describe(OptionTable<RewardModelOptions>& t) {
  t.field("pooling", &RewardModelOptions::pooling,
          "what the head reads: last (the ending token) or mean (of prompt and answer)",
          one_of({"last", "mean"}));
  t.field("head_init", &RewardModelOptions::head_init, "start of the head: normal, or zeros",
          one_of({"normal", "zeros"}));
  t.field("bias", &RewardModelOptions::bias, "whether the head has a bias");
  t.field("answers", &RewardModelOptions::answers, "lengths");
}

RewardModel::RewardModel(LanguageModel backbone, RewardModelOptions options, uint64_t seed)
    : backbone_(std::move(backbone)), options_(std::move(options)) {
  Check(kWhere).choice("pooling", options_.pooling, {"last", "mean"});
  Check(kWhere).choice("head_init", options_.head_init, {"normal", "zeros"});
  const auto hidden = backbone_.transformer->config().hidden;
  const auto device = backbone_.transformer->device();
  weight_ = options_.head_init == "zeros" ? at::zeros({1, hidden})
                                          : Rng(seed, "reward_head").normal_tensor({1, hidden}) /
                                                std::sqrt(static_cast<double>(hidden + 1));
  weight_ = weight_.to(device).requires_grad_();
  if (options_.bias) bias_ = at::zeros({1}, weight_.options()).requires_grad_();
}

std::vector<Parameter> RewardModel::head() const {
  std::vector<Parameter> out = {{"reward_head.weight", weight_}};
  if (bias_.defined()) out.push_back({"reward_head.bias", bias_});
  return out;
}

at::Tensor RewardModel::features(std::span<const TokenizedAnswers* const> examples) const {
  return pooled_hidden(*backbone_.transformer, pack_for_pooling(examples), options_.pooling);
}

at::Tensor RewardModel::rewards(const at::Tensor& features) const {
  const auto scores = features.to(weight_.scalar_type()).matmul(weight_.squeeze(0));
  return bias_.defined() ? scores + bias_ : scores;
}

std::vector<Judgement> RewardModel::score(const std::vector<Answer>& answers, int64_t tokens_per_batch,
                                          const std::function<void(int64_t, int64_t)>& progress) const {
  const at::NoGradGuard no_grad;
  std::vector<Judgement> out(answers.size());
  auto encoder = answer_encoder(backbone_, options_.answers, AnswerEnd::closed);
  const auto groups = group_answers(answers, encoder, out);
  for (size_t begin = 0; begin < groups.size();) {
    std::vector<const TokenizedAnswers*> batch;
    std::vector<size_t> places;
    int64_t tokens = 0;
    for (; begin < groups.size(); ++begin) {
      const auto& [example, own] = groups[begin];
      if (!batch.empty() && tokens + example.tokens() > tokens_per_batch) break;
      batch.push_back(&example);
      places.insert(places.end(), own.begin(), own.end());
      tokens += example.tokens();
    }
    const auto raw = rewards(features(batch)).to(at::kDouble).cpu().contiguous();
    for (size_t i = 0; i < places.size(); ++i)
      out[places[i]].score = (raw.const_data_ptr<double>()[i] - mean_) / std_;
    if (progress) progress(static_cast<int64_t>(begin), static_cast<int64_t>(groups.size()));
  }
  return out;
}

void RewardModel::normalise_to(const std::vector<Answer>& answers, int64_t tokens_per_batch) {
  set_scale(0, 1);
  std::vector<double> scores;
  for (const auto& judgement : score(answers, tokens_per_batch)) {
    if (judgement.error.empty()) scores.push_back(judgement.score);
  }
  if (scores.size() < 2)
    fail(ErrorKind::value, kWhere,
         fmt::format("needs at least two answers to set its scale, got {}", scores.size()));
  const auto values = at::tensor(scores, at::kDouble);
  const double spread = values.std(/*unbiased=*/false).item<double>();
  // Equal answers may differ in the last bits: products round by the place of a row in its batch.
  if (!(spread > kEqualScores * values.abs().max().item<double>()))
    fail(ErrorKind::value, kWhere, "cannot set its scale: all reference answers score the same");
  set_scale(values.mean().item<double>(), spread);
}

void RewardModel::set_scale(double mean, double std) {
  Check(kWhere).that(std::isfinite(mean), "mean", "finite", mean);
  Check(kWhere).that(std::isfinite(std) && std > 0, "std", "> 0", std);
  mean_ = mean;
  std_ = std;
}

}  // namespace plaudit
