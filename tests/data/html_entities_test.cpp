#include "plaudit/data/html_entities.h"

#include <gtest/gtest.h>

#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

// Expected values are those of Python's html.unescape.
TEST(Html, ReferencesAreReadAsBrowsersReadThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"a &lt;b&gt; &amp; &quot;c&quot;", "a <b> & \"c\""},
      {"&eacute;&copy;&hellip;&mdash;", "é©…—"},
      {"&eacute &copy2 &hellip", "é ©2 &hellip"},         // only old names count without a semicolon
      {"I'm &notit; I tell you", "I'm ¬it; I tell you"},  // the longest of them
      {"I'm &notin; I tell you", "I'm ∉ I tell you"},
      {"&NotEqualTilde;", "≂̸"},  // two characters
      {"&#233;&#xE9;&#XE9;&#65x", "éééAx"},
      {"&#150;&#x80;&#0;&#xD800;&#x110000;&#99999999999999999999;", "–€\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"a&#1;b&#xFFFE;c", "abc"},
      {"& &; &# &#; &#x; &#xg; &nosuch; &", "& &; &# &#; &#x; &#xg; &nosuch; &"},
      {"&amp;lt;", "&lt;"},
      {"", ""}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(unescape_html(text), expected) << text;
}

TEST(Html, OddTextIsNeverBroken) {
  std::string long_name = "&" + std::string(100, 'x') + ";";
  EXPECT_EQ(unescape_html(long_name), long_name);
  EXPECT_TRUE(is_valid_utf8(unescape_html("é&é;&#é&eacuteé")));
  EXPECT_EQ(unescape_html("é&é;&eacuteé"), "é&é;éé");
}

}  // namespace
}  // namespace plaudit
