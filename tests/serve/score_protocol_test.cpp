// The mapping between trainers' requests for scores and ours.
#include "plaudit/serve/score_protocol.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using testing::expect_error;

TEST(ScoreResponse, RefusesAListOfAnotherLengthThanTheScores) {
  const Json documents = {{"documents", {"a", "b", "c"}}}, texts = {{"texts", {"a"}}};
  expect_error(ErrorKind::shape, "scores", [&] { score_response("/v1/rerank", {1, 2}, documents); });
  expect_error(ErrorKind::shape, "scores", [&] { score_response("/rerank", {1, 2}, texts); });
  EXPECT_EQ(score_response("/v1/rerank", {1, 3, 2}, documents)["results"][0]["index"], 1);
}

TEST(ScoreResponse, ErrorsNameTheArgument) {
  expect_error(ErrorKind::empty, "scores", [] { score_response("/score", {}, Json::object()); });
  expect_error(ErrorKind::shape, "scores", [] { score_response("/reward", {1, 2}, Json::object()); });
  const Json single = {{"single", true}};
  expect_error(ErrorKind::shape, "scores", [&] { score_response("/predict", {1, 2}, single); });
  expect_error(ErrorKind::nan, "scores", [] { score_response("/score", {NAN}, Json::object()); });
  expect_error(ErrorKind::type, "options", [] { score_response("/score", {1}, Json::array()); });
  expect_error(ErrorKind::value, "endpoint", [] { score_response("/scores", {1}, Json::object()); });
}

TEST(ScoreRequest, PairsAreOneToManyOrOneToOne) {
  const Json many = {{"data_1", "q"}, {"data_2", {"a", "b"}}};
  EXPECT_EQ(score_request("/score", many)[1], (Json{{"first", "q"}, {"second", "b"}}));
  const Json uneven = {{"queries", {"p", "q"}}, {"items", {"a"}}};
  expect_error(ErrorKind::shape, "items", [&] { score_request("/v1/score", uneven); });
  const Json bare = {{"query", "a"}}, number = {{"query", {"a"}}, {"prompts", {1}}};
  expect_error(ErrorKind::type, "query", [&] { score_request("/get_reward", bare); });
  expect_error(ErrorKind::type, "prompts", [&] { score_request("/get_reward", number); });
  const Json three = {{"inputs", {"a", "b", "c"}}};
  expect_error(ErrorKind::shape, "inputs", [&] { score_request("/predict", three); });
}

}  // namespace
}  // namespace plaudit
