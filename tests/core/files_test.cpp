#include "plaudit/core/files.h"

#include <sys/resource.h>
#include <zlib.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;
using testing::write_bytes;

std::string gzip(const std::string& text) {
  TemporaryFolder folder;
  const auto path = folder / "a.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return read_file(path);
}

size_t entries(const TemporaryFolder& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

TEST(ReadFile, RefusesWhatIsNotAFile) {
  TemporaryFolder folder;
  expect_error(ErrorKind::io, "No such file", [&] { read_file(folder / "none"); });
  expect_error(ErrorKind::io, "is a folder", [&] { read_file(folder.path().string()); });
  expect_error(ErrorKind::io, "is a folder", [&] { MappedFile::open(folder.path().string()); });
}

TEST(ReadFile, ReadsBytesOfAnyLength) {
  TemporaryFolder folder;
  for (const size_t size : {0, 1, 4096, 100001}) {
    const std::string bytes(size, '\0');
    write_bytes(folder / "f", bytes);
    EXPECT_EQ(read_file(folder / "f"), bytes);
    EXPECT_EQ(MappedFile::open(folder / "f")->size(), size);
  }
}

TEST(ReadJson, NamesTheFileThatIsNotJson) {
  TemporaryFolder folder;
  write_bytes(folder / "a.json", "{\"a\": ");
  expect_error(ErrorKind::type, "a.json: is not JSON", [&] { read_json(folder / "a.json"); });
}

TEST(ReadTextLines, EndsOfLinesAndByteOrderMark) {
  TemporaryFolder folder;
  write_bytes(folder / "f", "\xEF\xBB\xBFone\r\n\ntwo");
  EXPECT_THAT(read_text_lines(folder / "f"), ::testing::ElementsAre("one", "", "two"));
  write_bytes(folder / "f", "");
  EXPECT_TRUE(read_text_lines(folder / "f").empty());
}

TEST(ReadTextLines, GzipAndItsMembersReadAsPlainText) {
  TemporaryFolder folder;
  std::string text(300000, 'x');
  text += "\nlast";
  write_bytes(folder / "f", gzip(text) + gzip(" line\n"));
  const auto lines = read_text_lines(folder / "f");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), 300000u);
  EXPECT_EQ(lines[1], "last line");
}

TEST(ReadTextLines, EveryTruncatedGzipIsRefused) {
  TemporaryFolder folder;
  const auto whole = gzip("a line\nanother line\n");
  for (size_t size = 3; size < whole.size(); ++size) {
    write_bytes(folder / "f", whole.substr(0, size));
    EXPECT_THROW(read_text_lines(folder / "f"), UserError) << size << " of " << whole.size();
  }
}

TEST(WriteFileAtomic, ReplacesAndLeavesNothingBeside) {
  TemporaryFolder folder;
  write_file_atomic(folder / "f", "old");
  write_file_atomic(folder / "f", "new");
  EXPECT_EQ(read_file(folder / "f"), "new");
  EXPECT_EQ(entries(folder), 1u);
}

TEST(WriteFileAtomic, KeepsALinkPointing) {
  TemporaryFolder folder;
  write_bytes(folder / "real", "old");
  std::filesystem::create_symlink("real", folder.path() / "link");
  write_file_atomic(folder / "link", "new");
  EXPECT_EQ(read_file(folder / "real"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "link"));
}

TEST(WriteFileAtomic, RefusesMissingFoldersAndFolders) {
  TemporaryFolder folder;
  expect_error(ErrorKind::io, "cannot be written: No such file",
               [&] { write_file_atomic(folder / "a/b", "x"); });
  expect_error(ErrorKind::io, "is a folder", [&] { write_file_atomic(folder.path().string(), "x"); });
}

TEST(WriteFileAtomic, FullDeviceIsRefused) {
  expect_error(ErrorKind::io, "/dev/full: cannot be written: No space left",
               [] { write_file_atomic("/dev/full", "x"); });
}

// A limit on file sizes stands for a full disk: the write stops half-way.
TEST(WriteFileAtomic, FailureKeepsTheOldFileAndRemovesThePart) {
  TemporaryFolder folder;
  write_file_atomic(folder / "f", "old");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &small);
  expect_error(ErrorKind::io, "f: cannot be written",
               [&] { write_file_atomic(folder / "f", std::string(9999, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(folder / "f"), "old");
  EXPECT_EQ(entries(folder), 1u);
}

TEST(AtomicFile, WithoutCommitNothingChanges) {
  TemporaryFolder folder;
  { AtomicFile(folder / "f").write("half"); }
  EXPECT_EQ(entries(folder), 0u);
}

TEST(MappedFile, WritesStayInTheProcess) {
  TemporaryFolder folder;
  write_bytes(folder / "f", "abc");
  const auto file = MappedFile::open(folder / "f");
  file->data()[0] = 'z';
  EXPECT_EQ(read_file(folder / "f"), "abc");
}

}  // namespace
}  // namespace plaudit
