#include "plaudit/core/call.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

TEST(TensorFromJson, TypesFollowTheValues) {
  EXPECT_EQ(tensor_from_json(Json::parse("[1, 2]"), "x").scalar_type(), at::kLong);
  EXPECT_EQ(tensor_from_json(Json::parse("[true, false]"), "x").scalar_type(), at::kBool);
  EXPECT_EQ(tensor_from_json(Json::parse("[1, 2.5]"), "x").scalar_type(), at::kDouble);
  EXPECT_EQ(tensor_from_json(Json::parse("[[], []]"), "x").sizes(), (std::vector<int64_t>{2, 0}));
  EXPECT_EQ(tensor_from_json(Json::parse("3"), "x").dim(), 0);
}

TEST(TensorFromJson, SpecialNumbersSurviveARoundTrip) {
  const auto json = Json::parse(R"([["nan", "inf"], ["-inf", 0.5]])");
  EXPECT_EQ(json_from_tensor(tensor_from_json(json, "x")), json);
}

TEST(TensorFromJson, RaggedListsAndTextAreRefused) {
  for (const char* text : {"[[1], [1, 2]]", "[[1], 2]", "[1, [2]]"}) {
    try {
      tensor_from_json(Json::parse(text), "x");
      FAIL() << text;
    } catch (const UserError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::shape) << text;
    }
  }
  EXPECT_THROW(tensor_from_json(Json::parse(R"(["a"])"), "x"), UserError);
}

TEST(CallFunction, NullIsNoText) {
  const Json asked = {{"question", "Q"}, {"answer", "A"}};
  auto with_null = asked;
  with_null["context"] = with_null["steps"] = with_null["work"] = nullptr;
  const auto text = call_function("verify.tool_transcript", with_null)["text"];
  EXPECT_EQ(text, "### USER:\nQuestion: Q\nAnswer: A\n### ASSISTANT:");
  EXPECT_EQ(text, call_function("verify.tool_transcript", asked)["text"]);
}

TEST(CallFunction, TextStaysTextAndObjectsComeBackAsObjects) {
  EXPECT_EQ(call_function("verify.extract_answer", {{"text", "<answer>[1, 2]</answer>"}})["answer"],
            "[1, 2]");
  EXPECT_EQ(call_function("verify.request_key", {{"request", {{"b", 1.0}, {"a", 2}}}})["canonical"],
            R"({"a":2,"b":1})");
  EXPECT_EQ(call_function("verify.gsm8k", {{"prediction", "[]"}, {"label", "1"}})["extracted"], "[]");
  const Json body = {{"prompt", "p"}, {"response", "r"}};
  EXPECT_EQ(
      call_function("verify.score_request", {{"endpoint", "/reward"}, {"body", body}})["items"][0]["prompt"],
      "p");
  EXPECT_EQ(call_function("verify.score_response", {{"endpoint", "/reward"}, {"scores", {2.5}}})["body"],
            2.5);
}

// An unchecked number would come out as a result of nan, or be ignored by a comparison.
TEST(CallFunction, ANumberThatIsNoneIsNamed) {
  const Json guidance = {{"cond", {1.0}}, {"uncond", {0.0}}, {"scale", "nan"}};
  const auto message = [](const std::string& name, const Json& arguments) -> std::string {
    try {
      call_function(name, arguments);
    } catch (const UserError& error) {
      return std::string(to_string(error.kind())) + " " + error.what();
    }
    return "";
  };
  EXPECT_THAT(message("diffusion.guidance", guidance),
              ::testing::HasSubstr("scale must be a number, got nan"));
  EXPECT_THAT(message("filter.above_return", {{"returns", {1.0, 2.0}}, {"threshold", "nan"}}),
              ::testing::HasSubstr("threshold must be a number, got nan"));
}

}  // namespace
}  // namespace plaudit
