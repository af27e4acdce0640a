#include "plaudit/data/regex.h"

#include <gtest/gtest.h>

#include "tests/support/property.h"

namespace plaudit {
namespace {

std::vector<std::string> all(const std::string& pattern, const std::string& text) {
  std::vector<Regex::Match> matches;
  Regex(pattern, "test").find_all(text, matches);
  std::vector<std::string> out;
  for (const auto& match : matches) out.push_back(text.substr(match.begin, match.end - match.begin));
  return out;
}

using Texts = std::vector<std::string>;

TEST(Regex, MatchesFromLeftToRightWithoutEmptyOnes) {
  EXPECT_EQ(all("a*",
                "baac\xC3\xA9"
                "a"),
            (Texts{"aa", "a"}));
  EXPECT_EQ(all(R"(\s+(?!\S)|\s+)", "a  b "), (Texts{" ", " ", " "}));
  EXPECT_EQ(all(R"(\p{N}{1,3})", "12345"), (Texts{"123", "45"}));
  EXPECT_EQ(all("(?i:'s)", "'S's"), (Texts{"'S", "'s"}));
}

TEST(Regex, SetsAreThoseOfTheTokenizersLibrary) {
  EXPECT_EQ(all(R"(\s)", "\xE1\xA0\x8E\xC2\x85"), (Texts{"\xC2\x85"}));  // U+180E is no white space
  EXPECT_EQ(all(R"([^\s])", "\xE1\xA0\x8E "), (Texts{"\xE1\xA0\x8E"}));
  EXPECT_EQ(all(R"(\S)", "\xE1\xA0\x8E "), (Texts{"\xE1\xA0\x8E"}));
  EXPECT_EQ(all(R"(\w+)", "e\xCC\x81_1-x"), (Texts{"e\xCC\x81_1", "x"}));  // marks are word characters
  EXPECT_EQ(all(R"(\W)", "a-"), (Texts{"-"}));
  EXPECT_EQ(all(R"(\u0041\x42\x{43}\v)", "ABC\x0B"), (Texts{"ABC\x0B"}));
  EXPECT_EQ(all(R"([[:alpha:]]+|[]a])", "ab]"), (Texts{"ab", "]"}));
}

TEST(Regex, UnknownConstructsAreNamed) {
  const std::vector<std::pair<std::string, std::string>> bad = {{R"((a)\1)", "\\1"},
                                                                {R"(\h)", "\\h"},
                                                                {"(?<n>a)", "(?<"},
                                                                {"(?P<n>a)", "(?P"},
                                                                {"(*ACCEPT)", "(*A"},
                                                                {"[a&&b]", "&&"},
                                                                {"[a[b]]", "["},
                                                                {R"([\W])", "\\W"},
                                                                {R"(\u12)", "\\u"},
                                                                {R"(\x{zz})", "\\x"},
                                                                {"a\\", "\\"},
                                                                {"[a", "["},
                                                                {R"(\p{Nonsense})", "Nonsense"},
                                                                {"(a", "(a"},
                                                                {"a{3,1}", "a{3,1}"},
                                                                {R"(\p{L)", "\\p"}};
  for (const auto& [pattern, named] : bad)
    testing::expect_error(ErrorKind::value, named, [&, p = pattern] { Regex(p, "file: Regex"); });
}

TEST(Regex, LongRunsNeedNoStack) {
  const std::string spaces(2'000'000, ' ');
  EXPECT_EQ(all(R"(\s*[\r\n]+|\s+(?!\S)|\s+)", spaces + "x").size(), 2u);
  EXPECT_EQ(all(R"((?:a|b)+)", std::string(300'000, 'a')).size(), 1u);
}

}  // namespace
}  // namespace plaudit
