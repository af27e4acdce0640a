#include "plaudit/train/policy_gradient.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/objective/group_advantage.h"
#include "plaudit/objective/policy_gradient.h"
#include "plaudit/train/batches.h"
#include "plaudit/train/examples.h"

namespace plaudit {
namespace {

constexpr const char* kPolicyGradient = "train.policy-gradient";

uint64_t hash_sampling(const SamplingOptions& s) {
  return hash64(
      Json({s.max_new_tokens, s.temperature, s.top_k, s.top_p, s.min_p, s.stop, s.per_prompt}).dump());
}

}  // namespace

template <>
void describe(OptionTable<PolicyGradientOptions>& t) {
  t.field(
      "advantage", &PolicyGradientOptions::advantage,
      "policy-gradient: of an answer among those to its prompt: group (less their mean, over their "
      "deviation: GRPO), group-mean (less their mean: Dr. GRPO), leave-one-out (less the mean of the others: "
      "RLOO), none (the score itself)",
      one_of({"group", "group-mean", "leave-one-out", "none"}));
  t.field(
      "clip_ratio", &PolicyGradientOptions::clip_ratio,
      "policy-gradient: the ratio to the policy that drew the answers is clipped to 1 minus to 1 plus this",
      greater_than(0));
  t.field("kl_coef", &PolicyGradientOptions::kl_coef,
          "policy-gradient: weight of the KL to the policy before the first step", at_least(0));
  t.field("kl_in", &PolicyGradientOptions::kl_in,
          "policy-gradient: the KL is part of the loss (GRPO) or of the reward (PPO, RLVR)",
          one_of({"loss", "reward"}));
  t.field("reduction", &PolicyGradientOptions::reduction,
          "policy-gradient: mean over the tokens of each answer, then over answers, or over all tokens",
          one_of({"sequence_mean", "token_mean"}));
  t.field("score_scale", &PolicyGradientOptions::score_scale, "policy-gradient: multiplies the scores",
          greater_than(0));
  t.field("unended_score", &PolicyGradientOptions::unended_score,
          "policy-gradient: what an answer gets that did not end by itself; null: what the judge says");
  t.field("updates", &PolicyGradientOptions::updates,
          "policy-gradient: steps in a row that learn from the same answers", at_least(1));
}

PolicyGradientObjective::PolicyGradientObjective(LanguageModel policy, std::vector<Prompt> prompts,
                                                 std::vector<Json> extra, std::unique_ptr<Judge> judge,
                                                 const SamplingOptions& sampling,
                                                 const PolicyGradientOptions& options, Rng rng)
    : policy_(std::move(policy)),
      prompts_(std::move(prompts)),
      extra_(std::move(extra)),
      judge_(std::move(judge)),
      sampling_(sampling),
      options_(options),
      rng_(rng),
      step_(at::zeros({1}, at::kDouble)) {
  if (prompts_.empty()) fail(ErrorKind::empty, kPolicyGradient, "there are no prompts");
  if (!(sampling_.temperature > 0))
    fail(ErrorKind::value, kPolicyGradient, "temperature must be > 0: a greedy policy has no gradient");
  if (sampling_.top_k != 0 || sampling_.top_p != 1 || sampling_.min_p != 0)
    fail(ErrorKind::value, kPolicyGradient,
         "top_k, top_p and min_p must be off: answers must be draws of the law that is trained");
  if (sampling_.per_prompt < 2 && options_.advantage != "none")
    fail(ErrorKind::value, kPolicyGradient,
         fmt::format("per_prompt must be at least 2 for advantage {}, got {}", options_.advantage,
                     sampling_.per_prompt));
  uint64_t hash = hash_options(options_) ^ hash_sampling(sampling_) ^ hash64(judge_->name());
  for (size_t i = 0; i < prompts_.size(); ++i) {
    prompt_ids_.push_back(policy_.tokenizer->encode_prompt(prompts_[i], policy_.chat_family));
    if (prompt_ids_.back().empty())
      fail(ErrorKind::empty, kPolicyGradient, fmt::format("prompt {} is empty", i));
    hash = hash64(extra_.at(i).dump(), hash_examples({{prompt_ids_.back(), {}}}, {}) ^ mix64(hash));
  }
  fingerprint_ = hash_run(policy_, hash);
  reference_ = policy_.transformer->clone();
}

int64_t PolicyGradientObjective::tokens(int64_t example) const {
  return static_cast<int64_t>(prompt_ids_.at(static_cast<size_t>(example)).size()) +
         sampling_.per_prompt * sampling_.max_new_tokens;
}

bool PolicyGradientObjective::prepare(const TrainOptions& options, TrainContext&) {
  const auto rows = std::min(options.batch, size()) * sampling_.per_prompt,
             longest = sampling_.max_new_tokens;
  const auto f32 = [](at::IntArrayRef sizes) { return at::zeros(sizes); };
  rollouts_ = {at::zeros({rows, longest}, at::kDouble),
               at::zeros({rows}, at::kDouble),
               f32({rows, longest}),
               f32({rows, longest}),
               f32({rows}),
               f32({rows}),
               f32({rows})};
  return true;
}

std::vector<Parameter> PolicyGradientObjective::rollouts() const {
  return {{"rollouts.ids", rollouts_.ids},
          {"rollouts.lengths", rollouts_.lengths},
          {"rollouts.old_logps", rollouts_.old_logps},
          {"rollouts.ref_logps", rollouts_.ref_logps},
          {"rollouts.advantage", rollouts_.advantage},
          {"rollouts.score", rollouts_.score},
          {"rollouts.ended", rollouts_.ended}};
}

std::vector<Parameter> PolicyGradientObjective::state() const {
  auto out = rollouts();
  out.push_back({"rollouts.step", step_});
  return out;
}

// The answers to the prompt at `place` of the batch.
TokenizedAnswers PolicyGradientObjective::answers_of(int64_t place) const {
  TokenizedAnswers out{prompt_ids_[static_cast<size_t>(batch_[static_cast<size_t>(place)])], {}};
  const auto* ids = rollouts_.ids.const_data_ptr<double>();
  const auto* lengths = rollouts_.lengths.const_data_ptr<double>();
  for (int64_t k = 0; k < sampling_.per_prompt; ++k) {
    const auto row = place * sampling_.per_prompt + k;
    std::vector<int64_t> answer;
    for (int64_t t = 0; t < static_cast<int64_t>(lengths[row]); ++t)
      answer.push_back(static_cast<int64_t>(ids[row * sampling_.max_new_tokens + t]));
    out.answers.push_back(std::move(answer));
  }
  return out;
}

void PolicyGradientObjective::begin_update(const std::vector<int64_t>& batch, int64_t tokens_per_batch,
                                           const Collective& ranks) {
  batch_ = batch;
  if (static_cast<int64_t>(step_[0].item<double>()) % options_.updates == 0)
    roll_out(batch, tokens_per_batch, ranks);
}

// Each rank answers its share of the prompts; the sum over the ranks joins them.
void PolicyGradientObjective::roll_out(const std::vector<int64_t>& batch, int64_t tokens_per_batch,
                                       const Collective& ranks) {
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : rollouts()) tensor.zero_();
  const auto own = share_of_rank(
      batch, [this](int64_t example) { return tokens(example); }, ranks.rank, ranks.world);
  std::vector<int64_t> places;
  for (const auto example : own)
    places.push_back(std::find(batch.begin(), batch.end(), example) - batch.begin());
  judge(places, draw(places));
  fill_logps(places, tokens_per_batch);
  for (const auto place : places) set_advantages(place);
  std::vector<at::Tensor> joined;
  for (auto& [name, tensor] : rollouts()) joined.push_back(tensor);
  ranks.all_reduce_sum(joined);
  judged_ = judged_ || at::isfinite(rollouts_.score).any().item<bool>();
}

// The answers to the prompts at these places, place after place. The stream of a prompt is that of its place
// in the batch, so that its answers are the same whichever rank gives them.
std::vector<Answer> PolicyGradientObjective::draw(const std::vector<int64_t>& places) {
  const auto round = rng_.child(static_cast<int64_t>(step_[0].item<double>()));
  const auto prompt_of = [&](int64_t place) {
    return static_cast<size_t>(batch_[static_cast<size_t>(place)]);
  };
  std::vector<std::vector<int64_t>> prompts;
  std::vector<Rng> streams;
  for (const auto place : places) {
    prompts.push_back(prompt_ids_[prompt_of(place)]);
    streams.push_back(round.child(place));
  }
  const auto completions = Generator(policy_).generate(prompts, sampling_, streams);
  auto* ids = rollouts_.ids.mutable_data_ptr<double>();
  auto* lengths = rollouts_.lengths.mutable_data_ptr<double>();
  auto* ended = rollouts_.ended.mutable_data_ptr<float>();
  std::vector<Answer> answers;
  for (size_t p = 0; p < places.size(); ++p) {
    for (int64_t k = 0; k < sampling_.per_prompt; ++k) {
      const auto& completion = completions[p][static_cast<size_t>(k)];
      const auto row = places[p] * sampling_.per_prompt + k;
      std::copy(completion.ids.begin(), completion.ids.end(), ids + row * sampling_.max_new_tokens);
      lengths[row] = static_cast<double>(completion.ids.size());
      ended[row] = completion.finish == "stop" ? 1.0F : 0.0F;
      const auto prompt = prompt_of(places[p]);
      answers.push_back({prompts_[prompt], completion.text, extra_[prompt]});
    }
  }
  return answers;
}

void PolicyGradientObjective::judge(const std::vector<int64_t>& places, const std::vector<Answer>& answers) {
  const auto judgements = judge_->judge(answers);
  auto* score = rollouts_.score.mutable_data_ptr<float>();
  for (size_t i = 0; i < judgements.size(); ++i) {
    const auto row = places[i / static_cast<size_t>(sampling_.per_prompt)] * sampling_.per_prompt +
                     static_cast<int64_t>(i) % sampling_.per_prompt;
    const bool stands = judgements[i].error.empty();
    if (!stands) ++errors_[judgements[i].error];
    score[row] = stands ? static_cast<float>(judgements[i].score) : NAN;
  }
}

// The rewards of the answers to a prompt, and their advantages among those that could be judged.
void PolicyGradientObjective::set_advantages(int64_t place) {
  const auto rows = at::arange(place * sampling_.per_prompt, (place + 1) * sampling_.per_prompt, at::kLong);
  const auto of = [&](const at::Tensor& all) { return all.index_select(0, rows); };
  const auto score = of(rollouts_.score);
  const auto judged = at::isfinite(score).nonzero().squeeze(1);
  if (judged.numel() == 0) return;
  auto reward = options_.score_scale * score;
  if (options_.unended_score)
    reward = at::where(of(rollouts_.ended) > 0, reward, at::full_like(reward, *options_.unended_score));
  if (options_.kl_in == "reward")
    reward = reward - options_.kl_coef * (of(rollouts_.old_logps) - of(rollouts_.ref_logps)).sum(1);
  rollouts_.advantage.index_copy_(
      0, rows.index_select(0, judged),
      advantages(reward.index_select(0, judged), at::zeros({judged.numel()}, at::kLong)));
}

at::Tensor PolicyGradientObjective::advantages(const at::Tensor& scores, const at::Tensor& groups) const {
  if (options_.advantage == "group") return group_relative(scores, groups).to(at::kFloat);
  if (options_.advantage == "group-mean")
    return group_relative(scores, groups, {.normalize_std = false}).to(at::kFloat);
  if (options_.advantage == "leave-one-out") return leave_one_out(scores, groups).to(at::kFloat);
  return scores.to(at::kFloat);
}

// Log-probabilities under the policy as it is and under the reference, by the forward pass of training: those
// of decoding are of another precision.
void PolicyGradientObjective::fill_logps(const std::vector<int64_t>& own, int64_t tokens_per_batch) {
  const auto cost = [this](int64_t place) { return tokens(batch_[static_cast<size_t>(place)]); };
  const auto per_prompt = sampling_.per_prompt;
  for (const auto& pass : micro_batches(own, cost, tokens_per_batch)) {
    std::vector<TokenizedAnswers> examples;
    for (const auto place : pass) examples.push_back(answers_of(place));
    std::vector<const TokenizedAnswers*> pointers;
    for (const auto& example : examples) pointers.push_back(&example);
    const auto packed = pack_for_logps(pointers);
    const auto put = [&](const Transformer& model, at::Tensor& into) {
      const auto logps = padded_answer_logps(model, packed, true, sampling_.temperature).logps.cpu();
      for (size_t p = 0; p < pass.size(); ++p)
        into.slice(0, pass[p] * per_prompt, (pass[p] + 1) * per_prompt)
            .slice(1, 0, logps.size(1))
            .copy_(logps.slice(0, static_cast<int64_t>(p) * per_prompt,
                               (static_cast<int64_t>(p) + 1) * per_prompt));
    };
    put(*policy_.transformer, rollouts_.old_logps);
    put(*reference_, rollouts_.ref_logps);
  }
}

StepLoss PolicyGradientObjective::loss(const std::vector<int64_t>& examples) {
  std::vector<TokenizedAnswers> answers;
  std::vector<int64_t> rows;
  for (const auto example : examples) {
    const auto place = std::find(batch_.begin(), batch_.end(), example) - batch_.begin();
    answers.push_back(answers_of(place));
    for (int64_t k = 0; k < sampling_.per_prompt; ++k) rows.push_back(place * sampling_.per_prompt + k);
  }
  std::vector<const TokenizedAnswers*> pointers;
  for (const auto& example : answers) pointers.push_back(&example);
  const auto packed = pack_for_logps(pointers);
  const auto [logps, mask] = padded_answer_logps(*policy_.transformer, packed, true, sampling_.temperature);
  const auto plain = logps.options().requires_grad(false);
  const auto longest = logps.size(1);
  const auto index = at::tensor(rows, at::kLong);
  const auto of = [&](const at::Tensor& all) {
    const auto chosen = all.index_select(0, index);
    return (chosen.dim() == 2 ? chosen.slice(1, 0, longest) : chosen).to(plain);
  };
  const auto reference = of(rollouts_.ref_logps), advantage = of(rollouts_.advantage);
  const auto result = grpo_loss(logps, of(rollouts_.old_logps), reference, advantage, mask,
                                {.clip = {.low = options_.clip_ratio},
                                 .beta = options_.kl_in == "loss" ? options_.kl_coef : 0,
                                 .reduction = {.kind = options_.reduction}});
  const auto count = static_cast<double>(rows.size());
  const double tokens = mask.sum().item<double>();
  const double unit = options_.reduction == "sequence_mean" ? count : tokens;
  StepLoss out{result.loss * unit, unit, {}};
  const auto score = of(rollouts_.score);
  const auto judged = at::isfinite(score);
  out.sums["score"] = {at::where(judged, score, at::zeros_like(score)).sum(), judged.sum().item<double>()};
  out.sums["unjudged"] = {count - judged.sum().to(at::kFloat), count};
  out.sums["ended"] = {of(rollouts_.ended).sum(), count};
  out.sums["length"] = {at::full({}, tokens), count};
  out.sums["signal"] = {(advantage != 0).sum(), count};
  out.sums["clip_fraction"] = {result.clip_fraction * tokens, tokens};
  out.sums["kl"] = {at::where(mask, logps.detach() - reference, at::zeros_like(reference)).sum(), count};
  return out;
}

std::map<std::string, int64_t> PolicyGradientObjective::counts() const {
  int64_t failed = 0;
  for (const auto& [reason, count] : errors_) failed += count;
  return {{"examples", size()}, {"unjudged", failed}};
}

std::string PolicyGradientObjective::show(int64_t example) const {
  const auto place = std::find(batch_.begin(), batch_.end(), example) - batch_.begin();
  if (place == static_cast<ptrdiff_t>(batch_.size()))
    return show_answers(*policy_.tokenizer, {prompt_ids_.at(static_cast<size_t>(example)), {}});
  return show_answers(*policy_.tokenizer, answers_of(place));
}

}  // namespace plaudit
