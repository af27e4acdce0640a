#include "plaudit/train/preference.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/data/revision.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/objective/preference_dpo.h"
#include "plaudit/objective/srpo.h"
#include "plaudit/objective/treg.h"
#include "tests/support/tiny_model.h"
#include "tests/train/folder.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

std::vector<PreferencePair> pairs() {
  return {text_pair("first", "good", "bad"), text_pair("second one", "good too", ""),
          text_pair("x", "a longer good answer", "bad"), text_pair("first", "g", "bbb")};
}

TrainContext context_in(const std::string& folder = "") {
  return {.rng = Rng(0, "train"), .folder = folder};
}

std::string refusal(const std::vector<PreferencePair>& data, const PreferenceOptions& options = {}) {
  try {
    PreferenceObjective objective(tiny_model(), data, options);
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "accepted";
}

double mean_loss(PreferenceObjective& objective, const std::vector<int64_t>& examples) {
  const auto loss = objective.loss(examples);
  return loss.loss_sum.item<double>() / loss.weight;
}

// A policy that has moved away from `seed`'s start.
void move(const LanguageModel& model) {
  const at::NoGradGuard no_grad;
  Rng rng(5, "move");
  for (const auto& [name, weight] : model.transformer->trainable())
    weight.detach().add_(rng.normal_tensor(weight.sizes()) * 0.05);
}

TEST(Preference, AtTheStartTheLossIsLog2AndTheKlIsZero) {
  PreferenceObjective objective(tiny_model(), pairs(), {});
  auto context = context_in();
  ASSERT_TRUE(objective.prepare({}, context));
  const auto metrics = evaluate_objective(objective, 1000);
  EXPECT_NEAR(metrics.at("loss"), std::log(2), 1e-5);
  EXPECT_NEAR(metrics.at("kl"), 0, 1e-4);
}

TEST(Preference, AllReferencesAgreeInValue) {
  const auto start = tiny_model();
  std::vector<double> losses;
  for (const std::string mode : {"cached", "copy", "adapter_off"}) {
    const auto model = tiny_model();
    if (mode == "adapter_off") model.transformer->add_lora({.rank = 4, .alpha = 8}, 0);
    PreferenceObjective objective(model, pairs(), {.reference = mode});
    auto context = context_in();
    ASSERT_TRUE(objective.prepare({}, context));
    if (mode == "adapter_off") {
      // The loss with the adapter merged and the start as a copy is the one to compare with.
      move(model);
      const auto merged = tiny_model();
      merged.transformer->add_lora({.rank = 4, .alpha = 8}, 0);
      move(merged);
      merged.transformer->merge_lora();
      PreferenceObjective expected(merged, pairs(), {.reference = "copy"}, start.transformer);
      EXPECT_NEAR(mean_loss(objective, {0, 1, 2, 3}), mean_loss(expected, {0, 1, 2, 3}), 1e-5);
    } else {
      move(model);
      losses.push_back(mean_loss(objective, {0, 1, 2, 3}));
    }
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-5);
  EXPECT_GT(std::abs(losses[0] - std::log(2)), 1e-3);
}

// One row per answer, one forward pass each: the definition of the loss.
at::Tensor plain_dpo(const LanguageModel& policy, const LanguageModel& start) {
  const auto logp = [](const LanguageModel& model, const PreferencePair& pair, const std::string& text) {
    TokenizedAnswers example{model.tokenizer->encode(pair.prompt.text), {model.tokenizer->encode(text)}};
    example.answers[0].push_back(ByteTokenizer::end);
    const std::vector<const TokenizedAnswers*> one = {&example};
    return answer_logps(*model.transformer, pack_for_logps(one));
  };
  std::vector<at::Tensor> chosen, rejected, ref_chosen, ref_rejected;
  for (const auto& pair : pairs()) {
    chosen.push_back(logp(policy, pair, pair.chosen));
    rejected.push_back(logp(policy, pair, pair.rejected));
    ref_chosen.push_back(logp(start, pair, pair.chosen).detach());
    ref_rejected.push_back(logp(start, pair, pair.rejected).detach());
  }
  return dpo_loss({at::cat(chosen), at::cat(rejected), at::cat(ref_chosen), at::cat(ref_rejected)}).loss;
}

TEST(Preference, SharedPromptsAndPackingChangeNeitherLossNorGradient) {
  const auto packed = tiny_model(), plain = tiny_model();
  PreferenceObjective objective(packed, pairs(), {});
  auto context = context_in();
  ASSERT_TRUE(objective.prepare({}, context));
  move(packed);
  move(plain);
  const auto loss = objective.loss({3, 0, 2, 1});
  const auto expected = plain_dpo(plain, tiny_model());
  EXPECT_NEAR(loss.loss_sum.item<double>() / loss.weight, expected.item<double>(), 1e-5);
  loss.loss_sum.backward();
  expected.backward();
  for (size_t i = 0; i < plain.transformer->trainable().size(); ++i) {
    const auto [name, weight] = packed.transformer->trainable()[i];
    const auto want = plain.transformer->trainable()[i].tensor.grad();
    EXPECT_LT((weight.grad() / loss.weight - want).abs().max().item<double>(), 1e-5) << name;
  }
}

TEST(Preference, TrainingPrefersTheChosenAnswers) {
  for (const auto& loss : preference_losses()) {
    PreferenceObjective objective(tiny_model(), pairs(), {.loss = loss.name});
    TrainOptions options;
    options.max_steps = 20;
    options.batch = 4;
    options.learning_rate = 3e-3;
    auto context = context_in();
    ASSERT_TRUE(objective.prepare(options, context));
    const auto before = evaluate_objective(objective, 1000);
    train(objective, options, context);
    const auto after = evaluate_objective(objective, 1000);
    EXPECT_LT(after.at("loss"), before.at("loss")) << loss.name;
    EXPECT_GT(after.at("rewards/margin"), before.at("rewards/margin")) << loss.name;
    // Sums of log-probabilities without a reference start far apart where lengths differ.
    if (loss.needs_reference) {
      EXPECT_EQ(after.at("rewards/accuracy"), 1) << loss.name;
    }
  }
}

TEST(Preference, LabelsMixBothOrdersAndWeightsMultiply) {
  auto data = pairs();
  data[0].label = 0;
  data[1].label = 0.5;
  data[2].weight = 3;
  PreferenceObjective objective(tiny_model(), data, {.loss = "simpo"}),
      plain(tiny_model(), pairs(), {.loss = "simpo"});
  auto swapped_pairs = pairs();
  for (auto& pair : swapped_pairs) std::swap(pair.chosen, pair.rejected);
  PreferenceObjective swapped(tiny_model(), swapped_pairs, {.loss = "simpo"});
  EXPECT_NEAR(mean_loss(objective, {0}), mean_loss(swapped, {0}), 1e-5);
  EXPECT_NEAR(mean_loss(objective, {1}), (mean_loss(plain, {1}) + mean_loss(swapped, {1})) / 2, 1e-5);
  EXPECT_NEAR(objective.loss({2}).loss_sum.item<double>(), 3 * mean_loss(plain, {2}), 1e-4);
  EXPECT_EQ(objective.loss({1, 2}).sums.at("rewards/accuracy").weight, 1);
}

TEST(Preference, SftWeightAddsTheChosenAnswersLossPerToken) {
  PreferenceObjective plain(tiny_model(), pairs(), {.loss = "simpo"});
  PreferenceObjective with(tiny_model(), pairs(), {.loss = "simpo", .sft_weight = 0.5});
  const double logp = plain.loss({0}).sums.at("logps/chosen").sum.item<double>();
  EXPECT_NEAR(mean_loss(with, {0}) - mean_loss(plain, {0}), -0.5 * logp / 5, 1e-4);
}

TEST(Preference, TheCacheIsWrittenOnceAndCheckedAgainstTheRun) {
  const TestFolder folder("preference-cache");
  auto context = context_in(folder.path());
  PreferenceObjective objective(tiny_model(), pairs(), {}), again(tiny_model(), pairs(), {});
  int64_t computed = 0;
  context.progress = [&](int64_t done, int64_t, const std::string&) { computed = done; };
  ASSERT_TRUE(objective.prepare({}, context));
  EXPECT_EQ(computed, 4);
  computed = 0;
  ASSERT_TRUE(again.prepare({}, context));
  EXPECT_EQ(computed, 0);
  PreferenceObjective other_model(tiny_model(1), pairs(), {});
  EXPECT_THROW(other_model.prepare({}, context), UserError);
  auto data = pairs();
  data[1].rejected = "another";
  PreferenceObjective other_data(tiny_model(), data, {});
  EXPECT_THROW(other_data.prepare({}, context), UserError);
  const auto rounded = tiny_model();
  rounded.transformer->set_precision(Precision::bf16_autocast);
  PreferenceObjective other_precision(rounded, pairs(), {});
  EXPECT_THROW(other_precision.prepare({}, context), UserError);
}

TEST(Preference, AnInterruptWhileCachingIsReported) {
  PreferenceObjective objective(tiny_model(), pairs(), {});
  auto context = context_in();
  context.interrupt = [] { return true; };
  const auto result = train(objective, {}, context);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.steps, 0);
}

TEST(Preference, AMovingReferenceFollowsThePolicyAndIsSaved) {
  const TestFolder folder("preference-sync");
  TrainOptions options;
  options.max_steps = 8;
  options.learning_rate = 1e-3;
  const PreferenceOptions moving{.reference = "copy", .ref_sync_steps = 3, .ref_sync_mix = 0.6};
  const auto whole = tiny_model(), stopped = tiny_model(), resumed = tiny_model();
  PreferenceObjective whole_objective(whole, pairs(), moving);
  auto context = context_in();
  train(whole_objective, options, context);

  PreferenceObjective first(stopped, pairs(), moving), second(resumed, pairs(), moving);
  auto interrupted = context_in(folder.path());
  int64_t steps = 0;
  interrupted.metrics = [&](int64_t step, const auto&) { steps = step; };
  interrupted.interrupt = [&] { return steps >= 4; };
  EXPECT_TRUE(train(first, options, interrupted).interrupted);
  auto rest = context_in(folder.path());
  EXPECT_EQ(train(second, options, rest).resumed_from, 5);
  for (size_t i = 0; i < whole.transformer->trainable().size(); ++i)
    EXPECT_TRUE(
        at::equal(whole.transformer->trainable()[i].tensor, resumed.transformer->trainable()[i].tensor));
  EXPECT_GT(evaluate_objective(whole_objective, 1000).at("loss"), 0);
}

TEST(Preference, OtherOptionsAreAnotherRun) {
  PreferenceOptions plain, elsewhere, stronger;
  elsewhere.reference_file = "elsewhere";
  stronger.settings.beta = 0.5;
  const auto fingerprint = [](const PreferenceOptions& options) {
    return PreferenceObjective(tiny_model(), pairs(), options).fingerprint();
  };
  EXPECT_EQ(fingerprint(plain), fingerprint(elsewhere));
  EXPECT_NE(fingerprint(plain), fingerprint(stronger));
}

TEST(Preference, BadDataAndContradictionsAreRefused) {
  EXPECT_THAT(refusal({}), HasSubstr("there are no pairs"));
  auto data = pairs();
  data[2].label = 1.5;
  EXPECT_THAT(refusal(data), HasSubstr("label of pair 2 must be in [0, 1], got 1.5"));
  EXPECT_THAT(refusal({text_pair("a", "same", "same")}), HasSubstr("every pair compares equal answers"));
  data = pairs();
  for (auto& pair : data) pair.label = 0.5;
  EXPECT_THAT(refusal(data), HasSubstr("every pair has label 0.5"));
  EXPECT_THAT(refusal({text_pair("a", std::string(600, 'b'), "c")}),
              HasSubstr("pair 0: prompt (1 tokens) and answer (601) exceed the model's window of 512"));
  EXPECT_THAT(refusal({text_pair("", "", "c")}), HasSubstr("prompt and answer are both empty"));
  EXPECT_THAT(refusal(pairs(), {.reference = "adapter_off"}), HasSubstr("the policy has no adapter"));
  EXPECT_THAT(refusal(pairs(), {.ref_sync_steps = 5}), HasSubstr("needs reference copy"));
  EXPECT_THAT(refusal(pairs(), {.loss = "simpo", .reference_file = "r.safetensors"}),
              HasSubstr("train.reference_file: needs reference cached; reference is free"));
  PreferenceOptions unused{.loss = "ipo"};
  unused.settings.beta = 1;
  EXPECT_THAT(refusal(pairs(), unused), HasSubstr("train.beta"));
}

TEST(Preference, ABetaOfZeroIsRefusedWhereOptionsAreRead) {
  try {
    read_options<PreferenceOptions>(YAML::Load("{settings: {beta: 0}}"), {});
    FAIL() << "did not throw";
  } catch (const UserError& error) {
    EXPECT_THAT(message_of(error), HasSubstr("beta"));
    EXPECT_THAT(message_of(error), HasSubstr("> 0"));
  }
}

// Log-probabilities of the tokens of `text` behind a prompt, [1,T], in one plain pass.
at::Tensor token_logps_behind(const LanguageModel& model, const Prompt& prompt, const std::string& text) {
  TokenizedAnswers example{model.tokenizer->encode(prompt.text), {model.tokenizer->encode(text)}};
  example.answers[0].push_back(ByteTokenizer::end);
  const std::vector<const TokenizedAnswers*> one = {&example};
  return answer_token_logps(*model.transformer, pack_for_logps(one)).unsqueeze(0);
}

TEST(Preference, SrpoReadsEachAnswerAsARevisionOfEach) {
  const auto model = tiny_model(), start = tiny_model();
  PreferenceOptions options{.loss = "srpo"};
  options.settings.revise = "again:";
  options.settings.length_normalised = false;
  PreferenceObjective objective(model, pairs(), options);
  auto context = context_in();
  ASSERT_TRUE(objective.prepare({}, context));
  move(model);
  const auto pair = pairs()[0];
  const auto sum = [&](const LanguageModel& m, const Prompt& prompt, const std::string& text) {
    return token_logps_behind(m, prompt, text).sum().view({1}).detach();
  };
  const auto behind_w = revision_prompt(pair.prompt, pair.chosen, "again:"),
             behind_l = revision_prompt(pair.prompt, pair.rejected, "again:");
  const auto revisions = [&](const LanguageModel& m) -> RevisionLogps {
    return {sum(m, behind_l, pair.chosen), sum(m, behind_l, pair.rejected), sum(m, behind_w, pair.chosen),
            sum(m, behind_w, pair.rejected)};
  };
  const PairLogps answers{sum(model, pair.prompt, pair.chosen), sum(model, pair.prompt, pair.rejected),
                          sum(start, pair.prompt, pair.chosen), sum(start, pair.prompt, pair.rejected)};
  const auto expected = srpo_loss(answers, revisions(model), revisions(start)).loss.item<double>();
  EXPECT_NEAR(mean_loss(objective, {0}), expected, 1e-4);
  EXPECT_EQ(objective.size(), 4);
  EXPECT_GT(objective.tokens(0), 3 * PreferenceObjective(tiny_model(), pairs(), {}).tokens(0));
}

TEST(Preference, TRegCreditsTheTokensThatTheBetterInstructionMakesLikelier) {
  const auto model = tiny_model(), start = tiny_model();
  PreferenceOptions options{.loss = "t-reg"};
  options.settings.better = "up:";
  options.settings.worse = "down:";
  PreferenceObjective objective(model, pairs(), options);
  auto context = context_in();
  ASSERT_TRUE(objective.prepare({}, context));
  move(model);
  const auto pair = pairs()[2];
  const auto side = [&](const std::string& text) -> TokenAnswers {
    const auto better = token_logps_behind(start, revision_prompt(pair.prompt, text, "up:"), text),
               worse = token_logps_behind(start, revision_prompt(pair.prompt, text, "down:"), text);
    const auto mask = at::ones_like(better);
    return {token_logps_behind(model, pair.prompt, text), token_logps_behind(start, pair.prompt, text), mask,
            contrast_token_rewards(better, worse, mask)};
  };
  EXPECT_NEAR(mean_loss(objective, {2}),
              treg_loss(side(pair.chosen), side(pair.rejected)).loss.item<double>(), 1e-4);
  EXPECT_THAT(refusal(pairs(),
                      [] {
                        PreferenceOptions same{.loss = "t-reg"};
                        same.settings.better = same.settings.worse = "same";
                        return same;
                      }()),
              HasSubstr("all token rewards would be 0"));
}

TEST(Preference, OnlineVpoNeedsDrawsOfTheReference) {
  PreferenceOptions options{.loss = "vpo"};
  options.settings.value_mode = "online";
  EXPECT_THAT(refusal(pairs(), options), HasSubstr("sample with reference_answers"));
  auto data = pairs();
  data[1].extra["rejected_writer"] = "reference";
  EXPECT_EQ(refusal(data, options), "accepted");
}

// Every loss that reads more of a pair than its answers, stopped in the middle.
TEST(Preference, ARunThatWasStoppedGoesOnBitForBit) {
  TrainOptions training;
  training.max_steps = 8;
  training.learning_rate = 1e-3;
  auto data = pairs();
  for (auto& pair : data) pair.extra["rejected_writer"] = "reference";
  for (const std::string loss : {"vpo", "t-reg", "srpo"}) {
    const TestFolder folder("preference-" + loss);
    PreferenceOptions options{.loss = loss};
    if (loss == "vpo") options.settings.value_mode = "online";
    const auto whole = tiny_model(), stopped = tiny_model(), resumed = tiny_model();
    PreferenceObjective all(whole, data, options), first(stopped, data, options),
        second(resumed, data, options);
    auto context = context_in();
    train(all, training, context);
    auto interrupted = context_in(folder.path());
    int64_t steps = 0;
    interrupted.metrics = [&](int64_t step, const auto&) { steps = step; };
    interrupted.interrupt = [&] { return steps >= 4; };
    EXPECT_TRUE(train(first, training, interrupted).interrupted) << loss;
    auto rest = context_in(folder.path());
    EXPECT_EQ(train(second, training, rest).resumed_from, 5) << loss;
    for (size_t i = 0; i < whole.transformer->trainable().size(); ++i)
      EXPECT_TRUE(
          at::equal(whole.transformer->trainable()[i].tensor, resumed.transformer->trainable()[i].tensor))
          << loss;
  }
}

TEST(Preference, ReportsEqualAndUndecidedPairs) {
  auto data = pairs();
  data[0].rejected = data[0].chosen;
  data[1].label = 0.5;
  PreferenceObjective objective(tiny_model(), data, {});
  EXPECT_EQ(objective.counts().at("equal_answers"), 1);
  EXPECT_EQ(objective.counts().at("undecided"), 1);
}

}  // namespace
}  // namespace plaudit
