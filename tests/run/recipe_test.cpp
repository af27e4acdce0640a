#include "plaudit/run/recipe.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace plaudit::run {
namespace {

Recipe load(const std::string& text, const std::vector<std::string>& settings = {}) {
  const auto path = testing::TempDir() + "plaudit-recipe.yaml";
  std::ofstream(path) << text;
  return load_recipe(path, settings);
}

std::string error_of(const std::string& text, const std::vector<std::string>& settings = {}) {
  try {
    load(text, settings);
  } catch (const UserError& error) {
    const auto message = message_of(error);
    const auto name = message.find("plaudit-recipe.yaml");
    return name == std::string::npos ? message
                                     : message.substr(name + std::string("plaudit-recipe.yaml").size());
  }
  return "no error";
}

TEST(Recipe, MistakesAreNamedWithLineKeyAndNearestChoice) {
  EXPECT_EQ(error_of("sed: 1\nstages: []"), ":1: sed: there is no option 'sed', did you mean 'seed'?");
  EXPECT_EQ(error_of("seed: 1\nstages:\n  - cuont: {}"),
            ":3: stages[0].cuont: there is no stage 'cuont', did you mean 'count'?");
  EXPECT_EQ(error_of("stages:\n  - count:\n      to: 0"), ":3: stages[0].count.to: must be >= 1, got 0");
  EXPECT_EQ(error_of("stages: []"), ":1: stages: must be a list of stages");
  EXPECT_EQ(error_of("seed: -1\nstages: [{count: {}}]"), ":1: seed: must be >= 0, got -1");
  EXPECT_EQ(error_of("device: gpu\nstages: [{count: {}}]"),
            ":1: device: 'gpu' is not known, did you mean 'cpu'?");
  EXPECT_NE(error_of("stages: [{count: {]").find("is not valid YAML"), std::string::npos);
}

TEST(Recipe, SettingsReachParametersAndPaths) {
  const std::string text =
      "{parameters: {n: {default: 2, doc: how many}}, stages: [{count: {to: '${n}'}}, {total: {}}]}";
  EXPECT_EQ(load(text).resolved()["stages"][0]["count"]["to"], 2);
  EXPECT_EQ(load(text, {"n=7", "seed=5"}).resolved()["stages"][0]["count"]["to"], 7);
  EXPECT_EQ(load(text, {"seed=5"}).seed, 5u);
  EXPECT_EQ(load(text, {"stages.1.total.scale=3"}).resolved()["stages"][1]["total"]["scale"], 3.0);
}

TEST(Recipe, WrongSettingsAreRefused) {
  const std::string text = "{parameters: {data: {doc: a file}}, stages: [{count: {to: '${data}'}}]}";
  EXPECT_EQ(error_of(text),
            ":1: stages[0].count.to: needs the parameter 'data': add data=VALUE to the command");
  EXPECT_EQ(error_of(text, {"dta=1"}), "dta=1: the recipe has no parameter 'dta', did you mean 'data'?");
  EXPECT_EQ(error_of(text, {"data"}), "setting: expected key=value, got 'data'");
  EXPECT_EQ(error_of(text, {"data=1", "stages.4.count.to=1"}),
            "stages.4.count.to=1: '4' must be an index below 1");
}

TEST(Recipe, RepeatIsUnrolled) {
  const auto recipe = load("{stages: [{repeat: {times: 2, stages: [{count: {}}, {total: {}}]}}]}");
  std::vector<std::string> labels;
  for (const auto& stage : recipe.stages) labels.push_back(stage.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"01-count.1", "02-total.1", "03-count.2", "04-total.2"}));
}

}  // namespace
}  // namespace plaudit::run
