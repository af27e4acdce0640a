#include "plaudit/claim/claim.h"

#include <algorithm>

#include "plaudit/claim/claim_files.h"
#include "plaudit/core/files.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;

const std::string small = R"(claim: "48"
title: a small claim
seeds: [3, 4]
parameters:
  lines: {doc: how many, default: 10}
prepare:
  - corpus: {lines: "${lines}"}
stages:
  - fit: {steps: 2}
variants:
  few: {}
  many: {lines: 20}
  other:
    stages:
      - fit: {steps: 3}
metrics: {reward: mean gold reward}
bars:
  - {name: higher, value: "{many reward} - {few reward}", at_least: 0.1, must_miss: {many: other}}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void refused(ErrorKind kind, const std::string& from, const std::string& to, const std::string& part) {
  expect_error(kind, part, [&] { load_claim_text(replaced(small, from, to), "claims/48-small.yaml"); });
}

TEST(Claim, ReadsVariantsAndBars) {
  const auto claim = load_claim_text(small, "claims/48-small.yaml");
  EXPECT_EQ(claim.number, "48");
  EXPECT_EQ(claim.name, "48-small");
  EXPECT_THAT(claim.seeds, ElementsAre(3, 4));
  ASSERT_EQ(claim.variants.size(), 3u);
  EXPECT_EQ(claim.variants[0].prepared, 1u);
  EXPECT_EQ(claim.variants[0].resolved[0]["corpus"]["lines"], 10);
  EXPECT_EQ(claim.variants[1].resolved[0]["corpus"]["lines"], 20);
  EXPECT_EQ(claim.variants[2].resolved[1]["fit"]["steps"], 3);
  // What is prepared alike is shared.
  EXPECT_EQ(claim.variants[0].prepare_key, claim.variants[2].prepare_key);
  EXPECT_NE(claim.variants[0].prepare_key, claim.variants[1].prepare_key);
  ASSERT_EQ(claim.bars.size(), 1u);
  EXPECT_EQ(claim.bars[0].compare, ">=");
  EXPECT_EQ(claim.bars[0].must_miss[0].at("many"), "other");
  ASSERT_EQ(claim.plots.size(), 1u);
  EXPECT_EQ(claim.plots[0].y, "reward");
}

TEST(Claim, ChangesReachVariantsThatDoNotSetThem) {
  const auto claim = load_claim_text(small, "claims/48-small.yaml", {"lines=5"});
  EXPECT_EQ(claim.variants[0].resolved[0]["corpus"]["lines"], 5);
  EXPECT_EQ(claim.variants[1].resolved[0]["corpus"]["lines"], 20);
  EXPECT_NE(claim.digest, load_claim_text(small, "claims/48-small.yaml").digest);
  expect_error(ErrorKind::value, "did you mean 'lines'",
               [] { load_claim_text(small, "claims/48-small.yaml", {"line=5"}); });
}

TEST(Claim, RefusesWhatItDoesNotKnow) {
  refused(ErrorKind::value, "{many reward}", "{many rewrad}", "did you mean 'reward'");
  refused(ErrorKind::value, "{few reward}", "{fww reward}", "did you mean 'few'");
  refused(ErrorKind::value, "{many: other}", "{many: othr}", "did you mean 'other'");
  refused(ErrorKind::value, "at_least: 0.1", "at_least: 0.1, at_most: 1", "two bounds");
  refused(ErrorKind::empty, "at_least: 0.1, ", "", "at_least, at_most");
  refused(ErrorKind::value, "{lines: 20}", "{linse: 20}", "did you mean 'lines'");
  refused(ErrorKind::value, "corpus:", "corpsu:", "did you mean 'corpus'");
  refused(ErrorKind::value, "steps: 2", "steps: 0", "steps");
  refused(ErrorKind::value, "[3, 4]", "[-1]", "seeds");
  refused(ErrorKind::value, "seeds:", "seed:", "seed");
  refused(ErrorKind::empty, "claim: \"48\"", "claim: \"\"", "claim");
}

// A stage that reads what nothing makes is found before any work.
TEST(Claim, ChecksTheFlowOfStages) {
  refused(ErrorKind::value, "fit: {steps: 2}", "fit: {steps: 2, lines: text}", "'text'");
}

TEST(Claim, ChoosesByNumberAndNamesTheNearest) {
  const testing::TemporaryFolder folder;
  for (const auto* name : {"48-dpo.yaml", "19-srpo.yaml", "notes.txt"})
    testing::write_bytes(folder / name, "");
  const auto path = folder.path().string();
  EXPECT_EQ(choose_claims(path, {"all"}).size(), 2u);
  const auto chosen = choose_claims(path, {"48,19", "48"});
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen[0].number, "48");
  EXPECT_EQ(choose_claims(path, {"19-srpo"})[0].number, "19");
  expect_error(ErrorKind::value, "did you mean '48'", [&] { choose_claims(path, {"47"}); });
  expect_error(ErrorKind::value, "did you mean '48'", [&] { choose_claims(path, {"84"}); });
  expect_error(ErrorKind::value, "There are: all, 19, 48", [&] { choose_claims(path, {"5"}); });
  expect_error(ErrorKind::io, "holds no claims", [&] { choose_claims(folder / "none", {"48"}); });
}

// Every claim of the project can be read: its stages, metrics, variants and formulas are known.
TEST(Claim, AllClaimsCanBeRead) {
  const auto files = claim_files("claims");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const auto claim = load_claim(file.path);
    EXPECT_EQ(claim.number, file.number);
    EXPECT_FALSE(claim.title.empty()) << file.path;
    EXPECT_GT(claim.seconds_per_seed, 0) << file.path;
  }
}

}  // namespace
}  // namespace plaudit
