#include "plaudit/train/reference.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "plaudit/core/errors.h"
#include "tests/train/folder.h"

namespace plaudit {
namespace {

using ::testing::HasSubstr;

class ReferenceFile : public ::testing::Test {
 protected:
  std::string refusal(const std::string& key, int64_t examples) const {
    try {
      load_reference(path, key, examples, 2);
    } catch (const UserError& error) {
      return message_of(error);
    }
    return "accepted";
  }

  const TestFolder folder{"reference"};
  const std::string path = folder.path() + "/reference.safetensors";
};

TEST_F(ReferenceFile, ComesBackAsSaved) {
  EXPECT_FALSE(load_reference(path, "k", 3, 2));
  const auto logps = at::rand({3, 2});
  save_reference(path, "k", logps);
  EXPECT_TRUE(at::equal(*load_reference(path, "k", 3, 2), logps));
}

TEST_F(ReferenceFile, AnotherKeyIsRefusedWithAWayOut) {
  save_reference(path, "k", at::rand({3, 2}));
  EXPECT_THAT(refusal("other", 3), HasSubstr("delete the file to compute it again"));
}

TEST_F(ReferenceFile, MissingExamplesAreNamed) {
  auto logps = at::rand({3, 2});
  save_reference(path, "k", logps);
  EXPECT_THAT(refusal("k", 4), HasSubstr("holds [3, 2] numbers, expected [4, 2]"));
  logps[1][0] = std::nan("");
  save_reference(path, "k", logps);
  EXPECT_THAT(refusal("k", 3), HasSubstr("no log-probability for example 1"));
}

TEST_F(ReferenceFile, OfOtherRunsOnlyOneOfTheSameKeyComputedInTheSameWayIsTaken) {
  const auto file = [&](const char* name) { return folder.path() + "/" + name; };
  const auto logps = at::rand({3, 2});
  std::ofstream(file("damaged")) << "text";
  save_reference(file("other data"), "other", at::rand({3, 2}), "here");
  save_reference(file("other program"), "k", at::rand({3, 2}), "elsewhere");
  save_reference(file("old"), "k", at::rand({3, 2}));
  save_reference(file("fewer"), "k", at::rand({2, 2}), "here");
  SharedReferences others{{file("missing"), file("damaged"), file("other data"), file("other program"),
                           file("old"), file("fewer")},
                          "here"};
  std::string from;
  EXPECT_FALSE(find_reference(others, "k", 3, 2, from));
  save_reference(file("same"), "k", logps, "here");
  others.files.push_back(file("same"));
  EXPECT_TRUE(at::equal(find_reference(others, "k", 3, 2, from).value(), logps));
  EXPECT_EQ(from, file("same"));
  others.computed_by.clear();  // what is not known is not equal
  EXPECT_FALSE(find_reference(others, "k", 3, 2, from));
}

TEST_F(ReferenceFile, OtherFilesAreRefused) {
  std::ofstream(path) << "text";
  EXPECT_NE(refusal("k", 1), "accepted");
}

}  // namespace
}  // namespace plaudit
