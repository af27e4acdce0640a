#include "plaudit/data/parquet.h"

#include <gtest/gtest.h>

#include "plaudit/data/reader.h"
#include "tests/data/temp_file.h"

namespace plaudit {
namespace {

// Two rows of prompt, chosen and rejected as pyarrow writes them: (p, a, c) and (q, b, d).
constexpr std::string_view kFile =
    "504152311500152015202c15041500150615061c000000020000000401010000007001000000711500152015202c1504"
    "1500150615061c000000020000000401010000006101000000621500152015202c15041500150615061c000000020000"
    "000401010000006301000000641504194c35001806736368656d61150600150c2502180670726f6d707425004c1c0000"
    "00150c2502180663686f73656e25004c1c000000150c2502180872656a656374656425004c1c0000001604191c193c26"
    "001c150c1925060019180670726f6d707415001604164616462608491c150015001502003c1604190619260004000000"
    "26001c150c1925060019180663686f73656e1500160416461646264e491c150015001502003c16041906192600040000"
    "0026001c150c1925060019180872656a65637465641500160416461646269401491c150015001502003c160419061926"
    "000400000016d2011604260816d201002820706172717565742d6370702d6172726f772076657273696f6e2032362e30"
    "2e31193c1c00001c00001c0000002101000050415231";

std::string bytes_of_hex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

TEST(Parquet, ReadsRows) {
  const TempFile file(".parquet", bytes_of_hex(kFile));
  const auto found = read_preference_pairs(file.path(), {});
  ASSERT_EQ(found.records.size(), 2u);
  EXPECT_EQ(found.records[1].prompt.text, "q");
  EXPECT_EQ(found.records[1].chosen, "b");
  EXPECT_EQ(found.records[1].rejected, "d");
}

TEST(Parquet, EveryPrefixIsRefused) {
  const auto whole = bytes_of_hex(kFile);
  for (size_t size = 0; size < whole.size(); ++size) {
    const TempFile file(".parquet", std::string_view(whole).substr(0, size));
    EXPECT_THROW(read_preference_pairs(file.path(), {}), UserError) << size;
  }
}

// A damaged file is refused, or read as far as its format lets one tell; it never ends the program.
TEST(Parquet, EveryDamagedByteIsAUserErrorAtMost) {
  const auto whole = bytes_of_hex(kFile);
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char bit : {'\x01', '\x80', '\xFF'}) {
      auto damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ bit);
      const TempFile file(".parquet", damaged);
      try {
        read_preference_pairs(file.path(), {});
      } catch (const UserError&) {
      }
    }
  }
}

}  // namespace
}  // namespace plaudit
