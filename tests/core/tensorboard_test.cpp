#include "plaudit/core/tensorboard.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return out;
}

// The expected bytes are those of tensorboard's own event_pb2 and RecordWriter.
TEST(TensorBoard, HeaderIsByteForByteWhatTensorFlowWrites) {
  EXPECT_EQ(hex(event_file_header(1.5)),
            "1800000000000000"
            "a37f4b22"
            "09000000000000f83f"
            "1a0d627261696e2e4576656e743a32"
            "2a28646c");
}

TEST(TensorBoard, RecordHoldsStepAndTaggedValues) {
  EXPECT_EQ(hex(event_record(2, 300, {{"a/loss", 0.5}})),
            "1d00000000000000602fdf23"
            "0900000000000000401"
            "0ac022a0f0a0d0a06612f6c6f7373150000003f"
            "220de6ee");
}

TEST(TensorBoard, NegativeAndLargeStepsAreVarints) {
  EXPECT_NE(hex(event_record(0, int64_t{1} << 40, {})).find("10808080808020"), std::string::npos);
}

}  // namespace
}  // namespace plaudit
