#include "plaudit/train/value.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/objective/advantage.h"
#include "plaudit/reward/value_targets.h"
#include "plaudit/train/examples.h"

namespace plaudit {

template <>
void describe(OptionTable<ValueTrainingOptions>& t) {
  t.field("width", &ValueTrainingOptions::width, "value: width of the hidden layer", at_least(1));
  t.field("lambda", &ValueTrainingOptions::lam,
          "value: of TD(lambda); 1: the reward is the target at every token, 0: the next value",
          between(0, 1));
  t.field("positions", &ValueTrainingOptions::positions,
          "value: which states are learnt: all, or prompt, the one before the first token",
          one_of({"all", "prompt"}));
  t.field("standardise", &ValueTrainingOptions::standardise,
          "value: rewards to mean 0 and variance 1, so that beta is in units of one standard deviation");
}

ValueStates value_states(const LanguageModel& policy, const std::vector<const TokenizedAnswers*>& examples,
                         bool prompt_only, int64_t tokens_per_batch) {
  const at::NoGradGuard no_grad;
  ValueStates out;
  std::vector<at::Tensor> hidden, tokens;
  int64_t rows = 0;
  for (size_t begin = 0; begin < examples.size();) {
    std::vector<const TokenizedAnswers*> batch;
    int64_t cost = 0;
    do {
      if (examples[begin]->prompt.empty())
        fail(ErrorKind::empty, "value", "an empty prompt has no state to value");
      cost += examples[begin]->tokens();
      batch.push_back(examples[begin++]);
    } while (begin < examples.size() && cost + examples[begin]->tokens() <= tokens_per_batch);
    const auto packed = pack_for_logps(batch);
    // One row of zeros behind all others: the state before a prompt's only token.
    const auto states = policy.transformer->hidden(packed.packed).to(at::kFloat).cpu();
    const auto all = at::cat({states, at::zeros({1, states.size(1)})});
    std::vector<int64_t> index, next;
    const auto* row_of = packed.rows.const_data_ptr<int64_t>();
    const auto* target = packed.targets.const_data_ptr<int64_t>();
    int64_t at = 0;
    for (const auto* example : batch) {
      for (const auto& answer : example->answers) {
        // The prompt's last token stands at the row that predicts the answer's first.
        const auto n = static_cast<int64_t>(answer.size());
        index.push_back(example->prompt.size() > 1 ? row_of[at] - 1 : states.size(0));
        next.push_back(example->prompt.back());
        for (int64_t t = 0; t < n && !prompt_only; ++t) {
          index.push_back(row_of[at + t]);
          next.push_back(target[at + t]);
        }
        out.first.push_back(rows);
        out.lengths.push_back(prompt_only ? 1 : n + 1);
        rows += out.lengths.back();
        at += n;
      }
    }
    hidden.push_back(all.index_select(0, at::tensor(index, at::kLong)));
    tokens.push_back(at::tensor(next, at::kLong));
  }
  out.hidden = at::cat(hidden);
  out.tokens = at::cat(tokens);
  return out;
}

namespace {

// Standardised values [N,R] of some states.
at::Tensor values_at(const ValueModel& values, const LanguageModel& policy, const ValueStates& states,
                     const at::Tensor& rows) {
  const auto embeddings = policy.transformer->head_weight().detach().index_select(
      0, states.tokens.index_select(0, rows).to(policy.transformer->device()));
  return values.standard_values(values.of_states(states.hidden.index_select(0, rows)) +
                                values.of_tokens(embeddings.cpu()));
}

}  // namespace

at::Tensor prompt_values(const ValueModel& values, const LanguageModel& policy,
                         const std::vector<const TokenizedAnswers*>& examples, int64_t tokens_per_batch) {
  const at::NoGradGuard no_grad;
  // An answer of the last prompt token alone: only the state before it is looked at.
  std::vector<TokenizedAnswers> prompts;
  for (const auto* example : examples) {
    if (example->prompt.empty()) fail(ErrorKind::empty, "value", "an empty prompt has no state to value");
    prompts.push_back({example->prompt, {{example->prompt.back()}}});
  }
  std::vector<const TokenizedAnswers*> pointers;
  for (const auto& prompt : prompts) pointers.push_back(&prompt);
  const auto states = value_states(policy, pointers, /*prompt_only=*/true, tokens_per_batch);
  const auto standard = values_at(values, policy, states, at::arange(states.tokens.size(0), at::kLong));
  return standard * at::tensor(values.std(), at::kFloat) + at::tensor(values.mean(), at::kFloat);
}

ValueObjective::ValueObjective(LanguageModel policy, ValueModel& values, std::vector<ScoredExample> examples,
                               const ValueTrainingOptions& options)
    : policy_(std::move(policy)), values_(values), examples_(std::move(examples)), options_(options) {
  const auto objectives = values.objectives().size();
  uint64_t hash = hash_options(options_);
  for (const auto& example : examples_) {
    for (size_t k = 0; k < example.tokens.answers.size(); ++k) {
      scores_.push_back(example.scores.at(k));
      counts_.push_back(
          options_.positions == "all" ? static_cast<int64_t>(example.tokens.answers[k].size()) + 1 : 1);
    }
    hash = hash_examples({example.tokens}, {}) ^ mix64(hash);
  }
  if (scores_.empty()) fail(ErrorKind::empty, "train.value", "there are no scored answers");
  std::vector<double> mean(objectives, 0), std(objectives, 1);
  if (options_.standardise) {
    for (size_t r = 0; r < objectives; ++r) {
      double sum = 0, squares = 0;
      for (const auto& score : scores_) sum += score[r];
      mean[r] = sum / static_cast<double>(scores_.size());
      for (const auto& score : scores_) squares += (score[r] - mean[r]) * (score[r] - mean[r]);
      std[r] = std::sqrt(squares / static_cast<double>(scores_.size()));
      if (!(std[r] > 0))
        fail(ErrorKind::value, "train.value",
             fmt::format("all {} answers have the same score of '{}': there is nothing to learn",
                         scores_.size(), values.objectives()[r]));
    }
  }
  values.set_scale(mean, std);
  for (auto& score : scores_) {
    for (size_t r = 0; r < objectives; ++r) score[r] = (score[r] - mean[r]) / std[r];
    hash = hash64({reinterpret_cast<const char*>(score.data()), score.size() * sizeof(double)}, hash);
  }
  fingerprint_ = hash_run(policy_, hash);
}

bool ValueObjective::prepare(const TrainOptions& options, TrainContext& context) {
  std::vector<const TokenizedAnswers*> pointers;
  for (const auto& example : examples_) pointers.push_back(&example.tokens);
  if (context.progress) context.progress(0, 1, "hidden states of the answers");
  states_ = value_states(policy_, pointers, options_.positions == "prompt",
                         std::max<int64_t>(options.tokens_per_batch, 2048));
  return true;
}

StepLoss ValueObjective::loss(const std::vector<int64_t>& examples) {
  if (!states_.hidden.defined()) bug("train.value", "loss() before prepare()");
  const auto batch = static_cast<int64_t>(examples.size());
  std::vector<int64_t> rows, places;
  int64_t longest = 0;
  for (const auto example : examples) longest = std::max(longest, tokens(example));
  for (int64_t b = 0; b < batch; ++b) {
    const auto example = static_cast<size_t>(examples[static_cast<size_t>(b)]);
    for (int64_t t = 0; t < counts_[example]; ++t) {
      rows.push_back(states_.first[example] + t);
      places.push_back(b * longest + t);
    }
  }
  const auto values = values_at(values_, policy_, states_, at::tensor(rows, at::kLong));
  const auto place = at::tensor(places, at::kLong);
  const auto padded = [&](const at::Tensor& flat) {
    return at::zeros({batch * longest}, flat.options()).index_copy(0, place, flat).view({batch, longest});
  };
  const auto mask = padded(at::ones({place.numel()})).to(at::kBool);
  const auto positions = static_cast<double>(rows.size());
  std::vector<int64_t> last;
  for (const auto example : examples) last.push_back(tokens(example) - 1);
  const auto ends = at::tensor(last, at::kLong).unsqueeze(1);

  StepLoss out{at::zeros({}), 0, {}};
  auto prompt_error = at::zeros({}), end_error = at::zeros({});
  for (int64_t r = 0; r < values.size(1); ++r) {
    std::vector<double> scores;
    for (const auto example : examples)
      scores.push_back(scores_[static_cast<size_t>(example)][static_cast<size_t>(r)]);
    const auto reward = at::tensor(scores, at::kFloat);
    const auto v = padded(values.select(1, r));
    const auto rewards = at::zeros({batch, longest}).scatter(1, ends, reward.unsqueeze(1));
    const auto targets = td_lambda_returns(rewards, v.detach(), mask, {.gamma = 1, .lam = options_.lam});
    out.loss_sum = out.loss_sum + value_regression_loss(v, targets, mask) * positions;
    out.weight += positions;
    prompt_error += (v.detach().select(1, 0) - reward).square().sum();
    end_error += (v.detach().gather(1, ends).squeeze(1) - reward).square().sum();
  }
  const auto count = static_cast<double>(batch * values.size(1));
  out.sums["prompt_error"] = {prompt_error, count};
  out.sums["end_error"] = {end_error, count};
  return out;
}

std::string ValueObjective::show(int64_t example) const {
  for (const auto& list : examples_) {
    const auto n = static_cast<int64_t>(list.tokens.answers.size());
    if (example < n)
      return show_answers(*policy_.tokenizer,
                          {list.tokens.prompt, {list.tokens.answers[static_cast<size_t>(example)]}});
    example -= n;
  }
  return "";
}

}  // namespace plaudit
