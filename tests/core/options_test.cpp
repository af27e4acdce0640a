#include "plaudit/core/options.h"

#include <gtest/gtest.h>

namespace plaudit {

struct InnerOptions {
  int64_t rank = 4;
};

struct SampleOptions {
  double beta = 0.1;
  int64_t epochs = 1;
  std::string loss = "dpo";
  bool shuffle = true;
  std::optional<double> margin;
  std::vector<std::string> stop;
  InnerOptions lora;
};

template <>
void describe(OptionTable<InnerOptions>& t) {
  t.field("rank", &InnerOptions::rank, "rank", at_least(1));
}

template <>
void describe(OptionTable<SampleOptions>& t) {
  t.field("beta", &SampleOptions::beta, "strength", greater_than(0));
  t.field("epochs", &SampleOptions::epochs, "passes", between(1, 100));
  t.field("loss", &SampleOptions::loss, "loss", one_of({"dpo", "ipo"}));
  t.field("shuffle", &SampleOptions::shuffle, "shuffle");
  t.field("margin", &SampleOptions::margin, "margin");
  t.field("stop", &SampleOptions::stop, "stop strings");
  t.field("lora", &SampleOptions::lora, "adapter");
}

namespace {

SampleOptions read(const std::string& text) {
  return read_options<SampleOptions>(YAML::Load(text), {"recipe.yaml", "stages[0].train"});
}

std::string error_of(const std::string& text) {
  try {
    read(text);
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "no error";
}

TEST(Options, DefaultsHoldWhereNothingIsSaid) {
  const auto o = read("{}");
  EXPECT_EQ(o.beta, 0.1);
  EXPECT_EQ(o.lora.rank, 4);
  EXPECT_FALSE(o.margin);
}

TEST(Options, EveryTypeIsRead) {
  const auto o =
      read("{beta: 2, epochs: 3, loss: ipo, shuffle: false, margin: .5, stop: [a, b], lora: {rank: 8}}");
  EXPECT_EQ(o.beta, 2);
  EXPECT_EQ(o.epochs, 3);
  EXPECT_EQ(o.loss, "ipo");
  EXPECT_FALSE(o.shuffle);
  EXPECT_EQ(o.margin, 0.5);
  EXPECT_EQ(o.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(o.lora.rank, 8);
}

TEST(Options, ErrorsNamePlaceValueExpectationAndNearestKey) {
  EXPECT_EQ(error_of("epochs: 1\nbta: 0.2\n"),
            "recipe.yaml:2: stages[0].train.bta: there is no option 'bta', did you mean 'beta'?");
  EXPECT_EQ(error_of("beta: 0"), "recipe.yaml:1: stages[0].train.beta: must be > 0, got 0");
  EXPECT_EQ(error_of("epochs: 2.5"),
            "recipe.yaml:1: stages[0].train.epochs: must be a whole number, got '2.5'");
  EXPECT_EQ(error_of("epochs: 101"), "recipe.yaml:1: stages[0].train.epochs: must be in [1, 100], got 101");
  EXPECT_EQ(error_of("loss: dop"),
            "recipe.yaml:1: stages[0].train.loss: 'dop' is not known, did you mean 'dpo'?");
  EXPECT_EQ(error_of("beta: .nan"), "recipe.yaml:1: stages[0].train.beta: must be finite, got .nan");
  EXPECT_EQ(error_of("lora: {rank: 0}"), "recipe.yaml:1: stages[0].train.lora.rank: must be >= 1, got 0");
  EXPECT_EQ(error_of("lora: 3"), "recipe.yaml:1: stages[0].train.lora: must be a map, got '3'");
  EXPECT_EQ(error_of("{beta: 1, beta: 2}"), "recipe.yaml:1: stages[0].train.beta: is given twice");
}

TEST(Options, WhatIsWrittenReadsBackTheSame) {
  const auto o = read("{beta: 0.25, margin: 1, lora: {rank: 2}}");
  const auto json = option_table<SampleOptions>().write(o);
  EXPECT_EQ(option_table<SampleOptions>().write(read(json.dump())), json);
}

TEST(Options, DocumentationComesFromTheDeclaration) {
  const auto& fields = option_table<SampleOptions>().fields();
  EXPECT_EQ(fields[0].key, "beta");
  EXPECT_EQ(fields[0].constraint, "> 0");
  EXPECT_EQ(fields[0].default_value, "0.1");
  EXPECT_EQ(fields.back().fields.at(0).key, "rank");
}

struct StageOptions {
  std::string name = "stage";
  InnerOptions lora = {};
};
}  // namespace

template <>
void describe(OptionTable<StageOptions>& t) {
  t.field("name", &StageOptions::name, "what it is called");
  t.include(&StageOptions::lora);
}

namespace {

TEST(Options, IncludedFieldsStandInTheSameMap) {
  const auto read_stage = [](const char* text) {
    return read_options<StageOptions>(YAML::Load(text), {"recipe.yaml", ""});
  };
  EXPECT_EQ(read_stage("{name: a, rank: 8}").lora.rank, 8);
  EXPECT_THROW(read_stage("{rank: 0}"), UserError);
  EXPECT_THROW(read_stage("{lora: {rank: 8}}"), UserError);
  const Json expected = {{"name", "a"}, {"rank", 8}};
  EXPECT_EQ(option_table<StageOptions>().write(read_stage("{name: a, rank: 8}")), expected);
}

}  // namespace
}  // namespace plaudit
