#include "plaudit/feedback/judges.h"

#include <gtest/gtest.h>

#include "tests/data/expect_error.h"
#include "tests/data/temp_file.h"

namespace plaudit {
namespace {

TEST(Judges, AreListedByName) {
  std::vector<std::string> names;
  for (const auto& info : judges()) names.push_back(info.name);
  EXPECT_EQ(names, (std::vector<std::string>{"length", "lexicon", "verifier"}));
}

TEST(MakeJudge, HandsOnTheOptions) {
  const TempFile file(".txt", "fine\t1\n");
  JudgeOptions options;
  options.lexicon = file.path();
  EXPECT_DOUBLE_EQ(make_judge(options)->judge({{{}, "fine"}})[0].score, 0.25);
  options = {};
  options.name = "length";
  options.words = 2;
  EXPECT_EQ(make_judge(options)->judge({{{}, "one"}})[0].score, -1);
}

TEST(MakeJudge, RefusesUnknownNamesAndForeignOptions) {
  JudgeOptions options;
  options.name = "lexicn";
  expect_error(ErrorKind::value, {"'lexicn' is not known", "did you mean 'lexicon'?"},
               [&] { make_judge(options); });
  options.name = "length";
  options.lexicon = "words.txt";
  expect_error(ErrorKind::value, {"'length' has no option 'lexicon'"}, [&] { make_judge(options); });
  options = {};
  options.words = 3;
  expect_error(ErrorKind::value, {"'lexicon' has no option 'words'"}, [&] { make_judge(options); });
}

TEST(MakeJudge, AMissingLexiconIsFoundAtOnce) {
  JudgeOptions options;
  options.lexicon = "/nowhere/words.txt";
  expect_error(ErrorKind::io, {"/nowhere/words.txt"}, [&] { make_judge(options); });
}

}  // namespace
}  // namespace plaudit
