#include "plaudit/run/html.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

TEST(Html, EscapesWhatHasMeaning) {
  EXPECT_EQ(escape_html("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}

TEST(Html, KeepsTextOfAllLanguages) {
  EXPECT_EQ(escape_html("naïve 日本 🙂\n\t"), "naïve 日本 🙂\n\t");
}

TEST(Html, ReplacesControlCharacters) {
  EXPECT_EQ(escape_html(std::string("a\0b\x1b", 4)),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

}  // namespace
}  // namespace plaudit
