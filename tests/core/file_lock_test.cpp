#include "plaudit/core/file_lock.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "plaudit/core/errors.h"
#include "tests/support/files.h"

namespace plaudit {
namespace {

TEST(FileLock, OneAtATimeHoldsIt) {
  const testing::TemporaryFolder folder;
  for (const auto& path : {folder / "lock", folder.path().string()}) {  // a file that is made, and the folder
    EXPECT_FALSE(path == folder / "lock" && FileLock::is_taken(path)) << "it is not there";
    {
      auto lock = FileLock::take(path);
      ASSERT_TRUE(lock);
      EXPECT_TRUE(FileLock::is_taken(path));
      EXPECT_FALSE(FileLock::take(path));
      const auto moved = std::move(*lock);
      lock.reset();
      EXPECT_FALSE(FileLock::take(path)) << "a lock that was moved lives on";
    }
    EXPECT_FALSE(FileLock::is_taken(path));
    EXPECT_TRUE(FileLock::take(path, /*wait=*/true));
  }
}

TEST(FileLock, AFileThatCannotBeMadeIsNamed) {
  EXPECT_THROW(FileLock::take("/proc/no/such/file"), UserError);
}

}  // namespace
}  // namespace plaudit
