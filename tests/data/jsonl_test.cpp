#include "plaudit/data/jsonl.h"

#include <gtest/gtest.h>

#include "plaudit/core/files.h"
#include "tests/data/expect_error.h"
#include "tests/data/temp_file.h"

namespace plaudit {
namespace {

std::vector<RawRecord> records_of(const std::string& path) {
  std::vector<RawRecord> records;
  for_each_record(path, [&](RawRecord record) {
    records.push_back(std::move(record));
    return true;
  });
  return records;
}

TEST(JsonLines, BlankLinesAreSkippedAndBadOnesAreRecords) {
  const TempFile file(".jsonl", "{\"a\": 1}\n\n  \nnot json\r\n{\"a\": 2}");
  const auto records = records_of(file.path());
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].value["a"], 1);
  EXPECT_EQ(records[1].line, 4);
  EXPECT_TRUE(records[1].value.is_null());
  EXPECT_NE(records[1].problem.find("parse error"), std::string::npos);
  EXPECT_EQ(records[2].line, 5);
  EXPECT_EQ(records[2].problem, "");
}

TEST(JsonLines, BytesThatAreNotUtf8AreAProblem) {
  const TempFile file(".jsonl", "{\"a\": \"\xff\"}\n");
  EXPECT_NE(records_of(file.path()).at(0).problem, "");
}

TEST(JsonArray, ElementsCarryTheLineOnWhichTheyStart) {
  const TempFile file(
      ".json", "\n[\n  {\"a\": \"x, ] } \\\" y\"},\n  {\n    \"a\": [1, [2]]\n  }, \"text\"\n, 3]\n\n");
  const auto records = records_of(file.path());
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[0].value["a"], "x, ] } \" y");
  EXPECT_EQ(records[0].line, 3);
  EXPECT_EQ(records[1].value["a"], Json::parse("[1, [2]]"));
  EXPECT_EQ(records[1].line, 4);
  EXPECT_EQ(records[2].value, "text");
  EXPECT_EQ(records[3].value, 3);
  EXPECT_EQ(records[3].line, 7);
}

TEST(JsonArray, ABadElementSpoilsOnlyItself) {
  const TempFile file(".json", "[{\"a\": 1}, {\"a\": tru}, , {\"a\": 2},]");
  const auto records = records_of(file.path());
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(records[0].problem, "");
  EXPECT_NE(records[1].problem, "");
  EXPECT_NE(records[2].problem, "");  // nothing between two commas
  EXPECT_EQ(records[3].value["a"], 2);
  EXPECT_NE(records[4].problem, "");  // nothing after the last comma
}

TEST(JsonArray, AnEmptyListHasNoRecords) {
  EXPECT_TRUE(records_of(TempFile(".json", "[]").path()).empty());
  EXPECT_TRUE(records_of(TempFile(".json", " [ \n ] \n").path()).empty());
}

TEST(JsonArray, EveryPrefixIsCutShortOrWhole) {
  const std::string whole = "[{\"a\": \"b\"}, {\"c\": [1, 2]}]";
  EXPECT_EQ(records_of(TempFile(".json", whole).path()).size(), 2U);
  for (size_t n = 1; n < whole.size(); ++n) {
    const TempFile file(".json", whole.substr(0, n));
    expect_error(ErrorKind::io, {"is cut short", "the list does not end"}, [&] { records_of(file.path()); });
  }
}

TEST(JsonArray, TextAfterTheListIsRefused) {
  const TempFile file(".json", "[1]\n[2]\n");
  expect_error(ErrorKind::io, {"after the end of its list, on line 2"}, [&] { records_of(file.path()); });
}

TEST(JsonArray, TheCallerMayStopEarly) {
  const TempFile file(".json", "[1, 2, 3");  // never ends, and is not read that far
  int64_t count = 0;
  for_each_record(file.path(), [&](const RawRecord&) { return ++count < 2; });
  EXPECT_EQ(count, 2);
}

TEST(WriteJsonLines, ReadsBackPlainAndCompressed) {
  std::vector<Json> values;
  for (int i = 0; i < 2000; ++i) values.push_back({{"i", i}, {"text", "line\nbreak \xC3\xA9"}});
  for (const char* name : {".jsonl", ".jsonl.gz"}) {
    const TempFile file(name);
    write_json_lines(file.path(), values);
    const auto records = records_of(file.path());
    ASSERT_EQ(records.size(), values.size());
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(records[i].value, values[i]);
  }
  EXPECT_EQ(read_file(TempFile(".jsonl").path()), "");
}

TEST(WriteJsonLines, ATruncatedGzipFileIsAnError) {
  std::vector<Json> values;
  for (int i = 0; i < 5000; ++i) values.push_back({{"i", i * 7919 % 5003}});
  const TempFile whole(".jsonl.gz");
  write_json_lines(whole.path(), values);
  const auto bytes = read_file(whole.path());
  for (const size_t n : {bytes.size() - 1, bytes.size() - 9, bytes.size() / 2, size_t{30}}) {
    const TempFile part(".jsonl.gz", std::string_view(bytes).substr(0, n));
    expect_error(ErrorKind::io, {"is a damaged gzip file"}, [&] { records_of(part.path()); });
  }
}

TEST(RecordStream, AMissingFileIsNamed) {
  expect_error(ErrorKind::io, {"/nowhere/pairs.jsonl", "No such file"},
               [] { records_of("/nowhere/pairs.jsonl"); });
}

}  // namespace
}  // namespace plaudit
