// Every mistake in a recipe is refused before any work, with file, line, key and what would be right.
#include "plaudit/run/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/files.h"
#include "plaudit/core/yaml.h"
#include "tests/run/toy_stages.h"
#include "tests/support/files.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Changes = std::vector<std::string>;

class RecipeTest : public ::testing::Test {
 protected:
  Recipe load(const std::string& text, const Changes& changes = {}) {
    testing::write_bytes(path_, text);
    return load_recipe(path_, changes);
  }

  // The message of the refusal, with the folder of the recipe taken out.
  std::string refusal(const std::string& text, const Changes& changes = {}) {
    try {
      load(text, changes);
    } catch (const UserError& error) {
      auto message = message_of(error);
      for (size_t at; (at = message.find(path_)) != std::string::npos;)
        message.replace(at, path_.size(), "r.yaml");
      return message;
    }
    ADD_FAILURE() << "was not refused:\n" << text;
    return "";
  }

  testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "r.yaml";
};

TEST_F(RecipeTest, DefaultsAreFilledIn) {
  const auto recipe = load("stages: [toy_draw]");
  EXPECT_EQ(recipe.name, "r");
  EXPECT_EQ(
      recipe.resolved.dump(),
      R"({"doc":"","name":"r","seed":0,"device":"auto","stages":[{"toy_draw":{"count":4,"law":"normal",)"
      R"("sleep_ms":0,"interrupt_at":0,"file":null}}]})");
}

TEST_F(RecipeTest, StagesAndRepeatsAreUnrolled) {
  const auto recipe = load(toy_recipe);
  ASSERT_EQ(recipe.stages.size(), static_cast<size_t>(toy_stage_count));
  std::vector<std::string> ids, streams;
  std::vector<int64_t> rounds;
  for (const auto& stage : recipe.stages) {
    ids.push_back(stage.id);
    streams.push_back(stage.stream);
    rounds.push_back(stage.round);
  }
  EXPECT_EQ(ids, (Changes{"00-toy_draw", "01-toy_add", "02-repeat/1/00-toy_draw", "02-repeat/1/01-toy_add",
                          "02-repeat/2/00-toy_draw", "02-repeat/2/01-toy_add", "03-end"}));
  EXPECT_EQ(streams, (Changes{"toy_draw", "toy_add", "toy_draw.2@1", "toy_add.2@1", "toy_draw.2@2",
                              "toy_add.2@2", "end"}));
  EXPECT_EQ(rounds, (std::vector<int64_t>{0, 0, 1, 1, 2, 2, 0}));
}

TEST_F(RecipeTest, ResolvedRecipeReadsBackAsItself) {
  const auto recipe = load(toy_recipe, {"stages.toy_tell.plot=false", "doc='a: b # c, \"d\"'"});
  const auto again = load(yaml_text(recipe.resolved));
  EXPECT_EQ(again.resolved, recipe.resolved);
  EXPECT_EQ(again.doc, "a: b # c, \"d\"");
}

TEST_F(RecipeTest, UnknownKeysNameTheNearest) {
  EXPECT_EQ(refusal("sede: 1\nstages: [toy_draw]"),
            "r.yaml:1: sede: there is no option 'sede', did you mean 'seed'?");
  EXPECT_EQ(refusal("stages:\n  - toy_draw: {cuont: 1}"),
            "r.yaml:2: stages[0].toy_draw.cuont: there is no option 'cuont', did you mean 'count'?");
  EXPECT_EQ(refusal("toy_tally:\n  spraed: 1\nstages: [toy_draw]"),
            "r.yaml:2: toy_tally.spraed: there is no option 'spraed', did you mean 'spread'?");
  EXPECT_EQ(refusal("stages:\n  - repeat: {time: 2, stages: [toy_draw]}"),
            "r.yaml:2: stages[0].repeat.time: there is no option 'time', did you mean 'times'?");
}

TEST_F(RecipeTest, UnknownStagesNameTheNearest) {
  EXPECT_EQ(refusal("stages:\n  - toy_drew: {count: 1}"),
            "r.yaml:2: stages[0]: there is no stage 'toy_drew', did you mean 'toy_draw'?");
  EXPECT_EQ(refusal("stages:\n  - toy_draw\n  - repaet: {times: 2}"),
            "r.yaml:3: stages[1]: there is no stage 'repaet', did you mean 'repeat'?");
}

TEST_F(RecipeTest, WrongTypesShowTheValue) {
  EXPECT_EQ(refusal("stages:\n  - toy_draw: {count: many}"),
            "r.yaml:2: stages[0].toy_draw.count: must be a whole number, got 'many'");
  EXPECT_EQ(refusal("stages:\n  - toy_draw: {count: 2.5}"),
            "r.yaml:2: stages[0].toy_draw.count: must be a whole number, got '2.5'");
  EXPECT_EQ(refusal("stages:\n  - toy_draw\n  - toy_add: {weights: 1}"),
            "r.yaml:3: stages[1].toy_add.weights: must be a list");
  EXPECT_EQ(refusal("stages:\n  - toy_draw\n  - toy_add:\n      weights:\n        - 1\n        - x"),
            "r.yaml:6: stages[1].toy_add.weights[1]: must be a number, got 'x'");
  EXPECT_EQ(refusal("stages:\n  - toy_draw: [1]"), "r.yaml:2: stages[0].toy_draw: must be a map, got a list");
  EXPECT_EQ(refusal("seed: [1]\nstages: [toy_draw]"), "r.yaml:1: seed: must be a whole number, got a list");
}

TEST_F(RecipeTest, ValuesOutOfRangeShowTheRange) {
  EXPECT_EQ(refusal("stages:\n  - toy_draw: {count: 0}"),
            "r.yaml:2: stages[0].toy_draw.count: must be in [1, 100000], got 0");
  EXPECT_EQ(refusal("stages:\n  - toy_draw: {law: nromal}"),
            "r.yaml:2: stages[0].toy_draw.law: 'nromal' is not known, did you mean 'normal'?");
  EXPECT_EQ(refusal("seed: -1\nstages: [toy_draw]"), "r.yaml:1: seed: must be >= 0, got -1");
  EXPECT_EQ(refusal("device: gpu\nstages: [toy_draw]"),
            "r.yaml:1: device: 'gpu' is not known, did you mean 'cpu'?");
  EXPECT_EQ(refusal("stages:\n  - toy_draw\n  - repeat: {times: 0, stages: [toy_draw]}"),
            "r.yaml:3: stages[1].repeat.times: must be >= 1, got 0");
}

TEST_F(RecipeTest, WhatNothingMakesCannotBeRead) {
  EXPECT_EQ(
      refusal("toy_tally: {}\nstages:\n  - toy_add"),
      "r.yaml:3: stages[0].toy_add: reads 'draws', which nothing before it makes; a stage toy_draw does");
  EXPECT_EQ(
      refusal("stages:\n  - toy_draw\n  - toy_add"),
      "r.yaml:3: stages[1].toy_add: reads 'toy_tally', which nothing before it makes; the recipe has no "
      "section `toy_tally`");
}

TEST_F(RecipeTest, StagesCheckTheirFilesBeforeAnyWork) {
  EXPECT_EQ(refusal("stages:\n  - toy_draw\n  - toy_draw: {file: /nowhere/x.jsonl}"),
            "r.yaml:3: stages[1].toy_draw.file: there is no file '/nowhere/x.jsonl'");
}

TEST_F(RecipeTest, ListsOfStagesMustBeLists) {
  EXPECT_EQ(refusal("seed: 1"), "r.yaml: stages: must be a list of stages");
  EXPECT_EQ(refusal("stages: []"), "r.yaml:1: stages: must be a list of stages");
  EXPECT_EQ(
      refusal("stages:\n  - toy_draw: {}\n    toy_add: {}"),
      "r.yaml:3: stages[0]: holds two stages, 'toy_draw' and 'toy_add': each is an element of the list");
  EXPECT_EQ(refusal("stages:\n  - name: x"), "r.yaml:2: stages[0]: names no stage");
  EXPECT_EQ(refusal("stages:\n  - [toy_draw]"),
            "r.yaml:2: stages[0]: must be a stage, e.g. `train: {objective: dpo}`");
}

TEST_F(RecipeTest, NamesAreUniqueAndMakeFolders) {
  EXPECT_EQ(refusal("stages:\n  - toy_draw: {}\n    name: a\n  - toy_draw: {}\n    name: a"),
            "r.yaml:5: stages[1].name: 'a' names two stages");
  EXPECT_EQ(refusal("stages:\n  - toy_draw: {}\n    name: ../a"),
            "r.yaml:3: stages[0].name: must be letters, digits, '-' and '_', got '../a'");
}

TEST_F(RecipeTest, FilesThatAreNoRecipes) {
  EXPECT_THAT(refusal("stages: [toy_draw\nseed: 1\n"), StartsWith("r.yaml:2: is not YAML"));
  EXPECT_EQ(refusal("- toy_draw"), "r.yaml: must be a map of keys, such as `stages`");
  EXPECT_EQ(refusal(""), "r.yaml: must be a map of keys, such as `stages`");
  EXPECT_THROW(load_recipe(folder_ / "missing.yaml"), UserError);
}

TEST_F(RecipeTest, ParametersComeFromTheCommandLine) {
  const std::string text =
      "parameters:\n  n: {doc: how many}\n  law: {doc: the law, default: uniform}\nstages:\n"
      "  - toy_draw: {count: \"${n}\", law: \"${law}\"}\n";
  EXPECT_EQ(refusal(text),
            "r.yaml:5: stages[0].toy_draw.count: needs n (how many): add n=... to the command");
  EXPECT_EQ(load(text, {"n=7"}).resolved["stages"][0]["toy_draw"]["count"], 7);
  EXPECT_EQ(load(text, {"n=7", "law=normal"}).resolved["stages"][0]["toy_draw"]["law"], "normal");
  EXPECT_EQ(refusal(text, {"n=7", "low=normal"}),
            "low: there is no key 'low' in this recipe, did you mean 'law'?");
  EXPECT_EQ(refusal("stages:\n  - toy_draw: {count: \"${n}\"}"),
            "r.yaml:2: stages[0].toy_draw.count: there is no parameter 'n'; the recipe declares none");
  EXPECT_EQ(refusal("parameters: {seed: {}}\nstages: [toy_draw]"),
            "r.yaml:1: parameters.seed: is a key of every recipe, and cannot name a parameter");
}

TEST_F(RecipeTest, ParametersStandInsideOfTexts) {
  const std::string text = "parameters:\n  a: {default: x}\nname: run-${a}-${a}\nstages: [toy_draw]\n";
  EXPECT_EQ(load(text).name, "run-x-x");
  EXPECT_THAT(refusal(text, {"a=[1]"}), HasSubstr("parameter 'a' is not text, and stands inside of one"));
}

TEST_F(RecipeTest, ChangesReachAnyValue) {
  const auto stages = [&](const Changes& changes) { return load(toy_recipe, changes).resolved["stages"]; };
  EXPECT_EQ(load(toy_recipe, {"seed=9"}).seed, 9);
  EXPECT_EQ(load(toy_recipe, {"toy_tally.spread=3"}).resolved["toy_tally"]["spread"], 3.0);
  EXPECT_EQ(stages({"count=11"})[0]["toy_draw"]["count"], 11);
  EXPECT_EQ(stages({"stages.0.toy_draw.count=12"})[0]["toy_draw"]["count"], 12);
  EXPECT_EQ(stages({"stages.toy_tell.plot=false"})[3]["toy_tell"]["plot"], false);
  EXPECT_EQ(stages({"stages.end.plot=false"})[3]["toy_tell"]["plot"], false);
  EXPECT_EQ(stages({"stages.repeat.times=3"})[2]["repeat"]["times"], 3);
  EXPECT_EQ(stages({"stages.2.repeat.stages.toy_add.weights=[0.1, 0.2]"})[2]["repeat"]["stages"][1]["toy_add"]
                                                                         ["weights"],
            Json({0.1, 0.2}));
}

TEST_F(RecipeTest, AStageInShortFormCanBeChanged) {
  EXPECT_EQ(
      load("stages:\n  - toy_draw\n", {"stages.toy_draw.count=2"}).resolved["stages"][0]["toy_draw"]["count"],
      2);
}

TEST_F(RecipeTest, ChangesThatDoNotFitAreRefused) {
  EXPECT_EQ(refusal(toy_recipe, {"seed"}), "seed: must be key=value, e.g. seed=1");
  EXPECT_EQ(refusal(toy_recipe, {"stages.toy_draw.count=1"}),
            "stages: 'toy_draw' stands for several stages: say which of stages.0, stages.2.repeat.stages.0");
  EXPECT_EQ(refusal(toy_recipe, {"stages.toy_tel.plot=false"}),
            "stages: there is no stage 'toy_tel', did you mean 'toy_tell'?");
  EXPECT_EQ(refusal(toy_recipe, {"stages.9.toy_tell.plot=false"}),
            "stages: has 4 elements, counted from 0: there is no 9");
  EXPECT_EQ(refusal(toy_recipe, {"seed.x=1"}), "seed.x: seed is '5', which has no parts");
  EXPECT_EQ(refusal(toy_recipe, {"toy_tally.sprade=1"}),
            "r.yaml: toy_tally.sprade: there is no option 'sprade', did you mean 'spread'?");
  EXPECT_EQ(refusal(toy_recipe, {"toy_tally.spread=wide"}),
            "r.yaml: toy_tally.spread: must be a number, got 'wide'");
}

TEST_F(RecipeTest, OutlineNeedsNoParameters) {
  testing::write_bytes(
      path_,
      "doc: words\nparameters: {n: {doc: how many}}\nstages:\n  - toy_draw: {count: \"${n}\"}\n"
      "  - repeat: {times: 2, stages: [toy_draw]}\n");
  const auto outline = outline_recipe(path_);
  EXPECT_EQ(outline.doc, "words");
  ASSERT_EQ(outline.parameters.size(), 1u);
  EXPECT_EQ(outline.parameters[0].name, "n");
  EXPECT_FALSE(outline.parameters[0].default_value.has_value());
  EXPECT_EQ(outline.stages, (Changes{"toy_draw", "repeat"}));
}

TEST(Recipe, FirstDifferenceNamesTheValue) {
  const Json a = {{"seed", 1}, {"stages", {{{"train", {{"beta", 0.1}}}}}}};
  auto b = a;
  EXPECT_EQ(first_difference(a, b), "");
  b["stages"][0]["train"]["beta"] = 0.2;
  EXPECT_EQ(first_difference(a, b), "stages[0].train.beta was 0.1, now 0.2");
  b["stages"].push_back("x");
  EXPECT_EQ(first_difference(a, b), "stages had 1 elements, now 2");
  b = a;
  b.erase("seed");
  EXPECT_EQ(first_difference(a, b), "seed was 1, now it is not there");
  EXPECT_EQ(first_difference(b, a), "seed was not there, now 1");
}

}  // namespace
}  // namespace plaudit
