// Recipes with edits that no one meant: they are checked, or refused by name, before any work.
#include <gtest/gtest.h>

#include "plaudit/run/recipe.h"
#include "tests/run/toy_stages.h"
#include "tests/support/files.h"
#include "tests/support/odd_text.h"

namespace plaudit {
namespace {

TEST(RecipeMutated, IsCheckedOrRefused) {
  const std::vector<std::string> words = {"\n",
                                          "  ",
                                          ": ",
                                          "- ",
                                          "{",
                                          "}",
                                          "[",
                                          "]",
                                          "${count}",
                                          "${",
                                          "\t",
                                          "#",
                                          "'",
                                          "\"",
                                          "&a ",
                                          "*a",
                                          "<<: *a",
                                          "!!int ",
                                          "null",
                                          "~",
                                          "|\n",
                                          "repeat: ",
                                          "times: 1000000000",
                                          "stages: ",
                                          "toy_add: ",
                                          "seed: ",
                                          "count: ",
                                          ".nan",
                                          ".inf",
                                          "0x10",
                                          "\xFF",
                                          "? "};
  const std::string table = R"(doc: A comparison.
parameters: {law: {doc: which law, default: normal}, spread: {doc: how far, default: 0.5}}
toy_tally: {spread: "${spread}"}
stages:
  - toy_draw: {count: 4, law: "${law}"}
    name: draws
  - toy_add: {weights: [1, 2.5]}
)";
  const testing::TemporaryFolder folder;
  const auto path = folder / "r.yaml";
  Rng random(0, "recipes");
  const auto before = toy_stages_run();
  int fine = 0;
  for (int i = 0; i < 4000; ++i) {
    const auto text = testing::mutated(random, i % 2 ? toy_recipe : table, words);
    const std::vector<std::string> changes =
        i % 5 == 0 ? std::vector<std::string>{testing::mutated(random, "stages.end.toy_draw.count=3", words)}
                   : std::vector<std::string>{};
    fine += testing::ends(
        [&] {
          testing::write_bytes(path, text);
          load_recipe(path, changes);
        },
        text);
    if (HasFailure()) return;
  }
  EXPECT_GT(fine, 200);
  EXPECT_EQ(toy_stages_run(), before);
}

}  // namespace
}  // namespace plaudit
