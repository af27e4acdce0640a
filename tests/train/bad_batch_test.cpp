#include "plaudit/train/bad_batch.h"

#include <gtest/gtest.h>

#include "plaudit/core/files.h"
#include "tests/train/folder.h"
#include "tests/train/toy.h"

namespace plaudit {
namespace {

TEST(BadBatch, ListsTheNonFiniteExamplesFirst) {
  const TestFolder folder("bad-batch");
  ToyObjective toy({.nan_at = {2}});
  const auto message = save_bad_batch(toy, {7, std::nan(""), INFINITY, {0, 2, 4}}, folder.path());
  const auto file = read_json(folder.path() + "/bad-batch-step-7.json");
  EXPECT_EQ(file.at("loss"), "nan");
  EXPECT_EQ(file.at("gradient_norm"), "inf");
  ASSERT_EQ(file.at("examples").size(), 3U);
  EXPECT_EQ(file.at("examples")[0], Json({{"example", 2}, {"loss", "nan"}, {"text", "point 2"}}));
  EXPECT_TRUE(file.at("examples")[1].at("loss").is_number());
  EXPECT_NE(message.find("example 2"), std::string::npos) << message;
}

TEST(BadBatch, WithoutAFolderOnlyTheMessageIsMade) {
  ToyObjective toy;
  const auto message = save_bad_batch(toy, {1, 3.5, INFINITY, {0}}, "");
  EXPECT_NE(message.find("the gradient overflows"), std::string::npos) << message;
}

}  // namespace
}  // namespace plaudit
