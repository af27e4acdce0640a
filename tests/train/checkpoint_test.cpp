#include "plaudit/train/checkpoint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "plaudit/core/errors.h"
#include "tests/train/folder.h"

namespace plaudit {
namespace {

TEST(Checkpoint, TheLastTwoAreKeptNewestFirst) {
  const TestFolder folder("checkpoint-kept");
  for (const int64_t step : {8, 9, 10})
    save_checkpoint(folder.path(), step, {{"w", at::full({2}, step)}}, {});
  std::ofstream(folder.path() + "/checkpoint-x.safetensors") << "not one of ours";
  const auto files = list_checkpoints(folder.path());
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].step, 10);
  EXPECT_EQ(files[1].step, 9);
  EXPECT_TRUE(list_checkpoints(folder.path() + "/missing").empty());
}

TEST(Checkpoint, RestoresInPlaceWithItsInformation) {
  const TestFolder folder("checkpoint-restore");
  const auto weight = at::rand({3, 2});
  const auto path = save_checkpoint(folder.path(), 4, {{"w", weight}, {"n", at::full({}, 3)}}, {{"step", 4}});
  auto restored = at::zeros({3, 2});
  const auto same_memory = restored.data_ptr();
  load_checkpoint(path, {{"w", restored}});
  EXPECT_TRUE(at::equal(restored, weight));
  EXPECT_EQ(restored.data_ptr(), same_memory);
  EXPECT_EQ(read_checkpoint_info(path), Json({{"step", 4}}));
}

TEST(Checkpoint, MissingNamesAndOtherShapesAreRefusedByName) {
  const TestFolder folder("checkpoint-refuse");
  const auto path = save_checkpoint(folder.path(), 1, {{"w", at::zeros({3})}}, {});
  const auto message = [&](const Parameter& wanted) {
    try {
      load_checkpoint(path, {wanted});
    } catch (const UserError& error) {
      return message_of(error);
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message({"v", at::zeros({3})}), path + ": holds no tensor v");
  EXPECT_EQ(message({"w", at::zeros({4})}), path + ": w is [3], expected [4]");
}

}  // namespace
}  // namespace plaudit
