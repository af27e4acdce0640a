#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/reward/reward_model.h"
#include "tests/support/files.h"
#include "tests/support/tiny_model.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

// A model folder with a tokenizer of lower-case letters.
std::string model_folder(const testing::TemporaryFolder& folder, uint64_t seed = 0) {
  const auto path = folder / "model";
  tiny_model(seed).transformer->save(path);
  Json vocab = Json::object();
  for (char c = 'a'; c <= 'z'; ++c) vocab[std::string(1, c)] = c - 'a';
  vocab["<end>"] = ByteTokenizer::end;
  const Json end = {{"id", ByteTokenizer::end}, {"content", "<end>"}, {"single_word", false},
                    {"lstrip", false},          {"rstrip", false},    {"normalized", false},
                    {"special", true}};
  write_json(path + "/tokenizer.json",
             {{"added_tokens", {end}},
              {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
              {"decoder", {{"type", "ByteLevel"}}},
              {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", Json::array()}}}});
  write_json(path + "/tokenizer_config.json", {{"eos_token", "<end>"}});
  return path;
}

std::vector<Answer> answers() {
  return {{text_prompt("what"), "this"}, {text_prompt("what"), ""}, {text_prompt("why"), "because"}};
}

void expect_same_scores(const RewardModel& a, const RewardModel& b, double tolerance) {
  const auto first = a.score(answers()), second = b.score(answers());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(first[i].score, second[i].score, tolerance) << i;
}

std::string refusal(const std::string& folder) {
  try {
    RewardModel::load(folder);
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "accepted";
}

TEST(RewardModelFiles, EveryKindComesBackAsSaved) {
  const testing::TemporaryFolder folder;
  const auto source = model_folder(folder);
  for (const auto kind : {BackboneKind::base, BackboneKind::adapter, BackboneKind::full}) {
    RewardModel reward(LanguageModel::load(source), {.pooling = "mean", .bias = true}, 3);
    auto& backbone = *reward.backbone().transformer;
    if (kind == BackboneKind::adapter) backbone.add_lora({.rank = 2, .alpha = 4}, 0);
    if (kind == BackboneKind::full) backbone.set_trainable(true);
    Rng rng(5, "move");
    for (const auto& [name, weight] : backbone.trainable())
      weight.detach().add_(rng.normal_tensor(weight.sizes()) * 0.05);
    reward.set_scale(0.25, 2);
    const auto saved = folder / "reward";
    reward.save(saved, kind);
    const auto loaded = RewardModel::load(saved);
    EXPECT_EQ(loaded.options().pooling, "mean");
    EXPECT_EQ(loaded.mean(), 0.25);
    expect_same_scores(reward, loaded, 1e-5);
  }
}

TEST(RewardModelFiles, TheNumberFormatOfTheBackboneMayChange) {
  const testing::TemporaryFolder folder;
  const auto source = model_folder(folder);
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const RewardModel reward(LanguageModel::load(source, dtype), {}, 3);
    reward.save(folder / "reward", BackboneKind::base);
    for (const auto other : {at::kFloat, at::kBFloat16})
      expect_same_scores(reward, RewardModel::load(folder / "reward", other), 0.05);
  }
}

TEST(RewardModelFiles, AnotherBackboneIsRefused) {
  const testing::TemporaryFolder folder;
  const RewardModel reward(LanguageModel::load(model_folder(folder)), {}, 3);
  const auto saved = folder / "reward";
  reward.save(saved, BackboneKind::base);
  model_folder(folder, /*seed=*/1);
  EXPECT_THAT(refusal(saved), HasSubstr("was trained with another model"));
}

TEST(RewardModelFiles, OtherFilesAreRefused) {
  const testing::TemporaryFolder folder;
  const RewardModel reward(LanguageModel::load(model_folder(folder)), {}, 3);
  const auto saved = folder / "reward";
  EXPECT_THAT(refusal(saved), HasSubstr("reward.json"));
  reward.save(saved, BackboneKind::base);
  auto info = read_json(saved + "/reward.json");
  info["backbone"] = "half";
  write_json(saved + "/reward.json", info);
  EXPECT_THAT(refusal(saved), HasSubstr("backbone must be one of base, adapter, full, got 'half'"));
  info.erase("backbone");
  write_json(saved + "/reward.json", info);
  EXPECT_THAT(refusal(saved), HasSubstr("has no usable field 'backbone'"));
  info["format"] = "other";
  write_json(saved + "/reward.json", info);
  EXPECT_THAT(refusal(saved), HasSubstr("is not a 'plaudit reward model 1' file"));
}

}  // namespace
}  // namespace plaudit
