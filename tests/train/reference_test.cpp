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

TEST_F(ReferenceFile, OtherFilesAreRefused) {
  std::ofstream(path) << "text";
  EXPECT_NE(refusal("k", 1), "accepted");
}

}  // namespace
}  // namespace plaudit
