#include "plaudit/core/yaml.h"

#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "plaudit/core/rng.h"
#include "tests/support/files.h"

namespace plaudit {
namespace {

// What a reader of YAML makes of the text: every scalar that is not quoted is a number, a truth or null where
// it can be.
Json parsed(const YAML::Node& node) {
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const auto& element : node) list.push_back(parsed(element));
    return list;
  }
  if (node.IsMap()) {
    Json map = Json::object();
    for (const auto& entry : node) map[entry.first.Scalar()] = parsed(entry.second);
    return map;
  }
  if (node.IsNull()) return nullptr;
  if (node.Tag() == "!") return node.Scalar();  // quoted
  int64_t whole = 0;
  double number = 0;
  bool truth = false;
  if (YAML::convert<int64_t>::decode(node, whole)) return whole;
  if (YAML::convert<double>::decode(node, number)) return number;
  if (YAML::convert<bool>::decode(node, truth)) return truth;
  return node.Scalar();
}

Json round_trip(const Json& value) {
  return parsed(YAML::Load(yaml_text(value)));
}

TEST(Yaml, MapsAreBlocksAndPlainListsOneLine) {
  EXPECT_EQ(yaml_text({{"seed", 1}, {"n", {1, 2}}, {"stages", {{{"train", {{"beta", 0.5}}}}, "label"}}}),
            "seed: 1\nn: [1, 2]\nstages:\n  - train:\n      beta: 0.5\n  - label\n");
}

TEST(Yaml, TextsThatLookLikeOtherThingsAreQuoted) {
  for (const char* text : {"",     " ",    "1",     "1e5",   "0x10", "-",   "- a",
                           "a: b", "a #b", "#",     "null",  "Null", "~",   "true",
                           "NO",   "on",   ".inf",  "nan",   "[1]",  "{a}", "'",
                           "\"",   "\\",   "a\nb",  "\ttab", "a ",   "@a",  "*a",
                           "&a",   "!a",   "%a",    "?",     "|",    ">",   "naïve 日本 🙂",
                           "${x}", "a,b",  "C:\\x", "\x01"}) {
    const Json value = {{"k", text}, {"list", {text, "b"}}, {"deep", {{{"k", text}}}}};
    EXPECT_EQ(round_trip(value), value) << yaml_text(value);
  }
}

TEST(Yaml, NumbersKeepAllDigits) {
  for (const double value : {0.1, 1e-5, 1e300, -2.5e-308, 1.0 / 3, 123456789.123456789}) {
    const Json json = {{"x", value}};
    EXPECT_EQ(YAML::Load(yaml_text(json))["x"].as<double>(), value);
  }
  EXPECT_EQ(round_trip({{"x", INT64_MAX}, {"y", INT64_MIN}}), (Json{{"x", INT64_MAX}, {"y", INT64_MIN}}));
}

// A random tree of maps, lists and values.
Json draw_value(Rng& rng, int depth) {
  switch (rng.below(depth > 0 ? 7 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return rng.below(2) == 0;
    case 2:
      return rng.below(2000) - 1000;
    case 3:
      return std::string("text ") + std::to_string(rng.below(10)) + (rng.below(2) ? ":" : "x");
    case 4:
      return rng.below(2) ? Json::array() : Json::object();
    case 5: {
      Json list = Json::array();
      for (int64_t i = rng.below(4); i >= 0; --i) list.push_back(draw_value(rng, depth - 1));
      return list;
    }
    default: {
      Json map = Json::object();
      for (int64_t i = rng.below(4); i >= 0; --i) map["k" + std::to_string(i)] = draw_value(rng, depth - 1);
      return map;
    }
  }
}

TEST(Yaml, AnyTreeReadsBackAsItself) {
  Rng rng(0, "trees");
  for (int i = 0; i < 500; ++i) {
    const Json value = {{"root", draw_value(rng, 4)}};
    ASSERT_EQ(round_trip(value), value) << yaml_text(value);
  }
}

TEST(Yaml, FilesThatCannotBeReadNameTheLine) {
  const testing::TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    testing::write_bytes(folder / "a.yaml", text);
    try {
      load_yaml(folder / "a.yaml");
    } catch (const UserError& error) {
      return message_of(error);
    }
    return std::string("not refused");
  };
  EXPECT_EQ(refusal("a: 1\nb: [1\nc: 2\n").rfind(folder / "a.yaml:", 0), 0u);
  EXPECT_NE(refusal("a: 1\n").find("not refused"), std::string::npos);
  EXPECT_NE(refusal("- a\n").find("must be a map"), std::string::npos);
  EXPECT_THROW(load_yaml(folder / "none.yaml"), UserError);
}

}  // namespace
}  // namespace plaudit
