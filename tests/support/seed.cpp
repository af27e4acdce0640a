// Every test starts from the same seed: LibTorch's own is another one in every process.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace plaudit::testing {
namespace {

class Seed : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo& /*test*/) override { at::manual_seed(0); }
};

// gtest owns its listeners.
[[maybe_unused]] const bool added = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new Seed);
  return true;
}();

}  // namespace
}  // namespace plaudit::testing
