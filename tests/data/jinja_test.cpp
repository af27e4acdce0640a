#include "plaudit/data/jinja.h"

#include <gtest/gtest.h>

#include "tests/support/property.h"

namespace plaudit {
namespace {

const Json kVariables = {
    {"messages", {{{"role", "user"}, {"content", " Hi "}}, {{"role", "assistant"}, {"content", "Yo"}}}},
    {"n", 7},
    {"none_value", nullptr},
    {"text", "h\xC3\xA9llo"}};

std::string render(const std::string& source) {
  return render_jinja(source, kVariables);
}

TEST(Jinja, Expressions) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1 + 2 * 3", "7"},
      {"(1 + 2) * 3", "9"},
      {"7 // 2 ~ '-' ~ 7 % 2", "3-1"},
      {"-7 // 2", "-4"},
      {"-7 % 3", "2"},
      {"7 / 2", "3.5"},
      {"4 / 2", "2.0"},
      {"'a' + 'b' ~ 1", "ab1"},
      {"1 < 2 and not 2 < 1", "True"},
      {"none_value or 'x'", "x"},
      {"'a' if n == 7 else 'b'", "a"},
      {"'a' if n == 8", ""},
      {"missing", ""},
      {"missing == none", "False"},
      {"none", "None"},
      {"'ell' in 'hello'", "True"},
      {"3 not in [1, 2]", "True"},
      {"'role' in messages[0]", "True"},
      {"messages[0].content|trim", "Hi"},
      {"messages[-1]['role']", "assistant"},
      {"messages[5] is defined", "False"},
      {"text[1:3]", "\xC3\xA9l"},
      {"text[::-1]", "oll\xC3\xA9h"},
      {"text[-2:]", "lo"},
      {"[1, 2, 3][1:]|join(',')", "2,3"},
      {"text|length", "5"},
      {"{'a': 1, 'b': 2}.items()|length", "2"},
      {"{'a': {'b': 'c'}}['a']['b']", "c"},
      {"'a,b,c'.split(',')[-1]", "c"},
      {"'  x '.strip() + '.'", "x."},
      {"'xxax'.strip('x')", "a"},
      {"'abc'.startswith('ab')", "True"},
      {"'Abc'|upper ~ 'Abc'|lower", "ABCabc"},
      {"missing|default('d')", "d"},
      {"''|default('d', true)", "d"},
      {"[3, 4]|first ~ [3, 4]|last", "34"},
      {"range(3)|join", "012"},
      {"'a\"b'|tojson", "\"a\\\"b\""},
      {"n is odd and n is not string", "True"},
      {"n is divisibleby(7)", "True"},
      {"messages is iterable and messages[0] is mapping", "True"},
      {"true is true", "True"},
      {"'tab\\t' 'joined'", "tab\tjoined"},
      {"{'k': {'x': 'y'}}.get('q') is none", "True"},
  };
  for (const auto& [source, expected] : cases) EXPECT_EQ(render("{{ " + source + " }}"), expected) << source;
}

TEST(Jinja, Statements) {
  EXPECT_EQ(
      render(
          "{% for m in messages %}{{ loop.index0 }}{{ m.role }}{% if loop.last %}.{% endif %}{% endfor %}"),
      "0user1assistant.");
  EXPECT_EQ(render("{% for m in messages if m.role == 'user' %}{{ loop.length }}{% else %}none{% endfor %}"),
            "1");
  EXPECT_EQ(render("{% for m in [] %}x{% else %}none{% endfor %}"), "none");
  EXPECT_EQ(render("{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}"), "a1");
  EXPECT_EQ(
      render("{% for i in range(9) %}{% if i == 1 %}{% continue %}{% elif i == 4 %}{% break %}{% endif %}"
             "{{ i }}{% endfor %}"),
      "023");
  EXPECT_EQ(render("{% if n > 9 %}a{% elif n > 6 %}b{% else %}c{% endif %}"), "b");
  EXPECT_EQ(render("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}"), "1");
  EXPECT_EQ(render("{% set ns = namespace(x=1) %}{% for i in [1] %}{% set ns.x = 2 %}{% endfor %}{{ ns.x }}"),
            "2");
  EXPECT_EQ(render("{% set x %}a{{ n }}{% endset %}{{ x|length }}"), "2");
  EXPECT_EQ(render("{% generation %}a{% if true %}b{% endif %}{% endgeneration %}"), "ab");
  EXPECT_EQ(render("{# a {{ comment }} #}x"), "x");
}

TEST(Jinja, WhiteSpace) {
  EXPECT_EQ(render("a\n{% if true %}\nb\n{% endif %}\nc\n"), "a\nb\nc");
  EXPECT_EQ(render("a  {%- if true -%}  b  {%- endif -%}  c"), "abc");
  EXPECT_EQ(render("  {% if true %}x{% endif %}"), "x");
  EXPECT_EQ(render("y  {% if true %}x{% endif %}"), "y  x");
  EXPECT_EQ(render("  {%+ if true %}x{% endif %}"), "  x");
  EXPECT_EQ(render("{% if true +%}\nx{% endif %}"), "\nx");
  EXPECT_EQ(render("a {{- n -}} b\n{{ n }}\n"), "a7b\n7");
  EXPECT_EQ(render("a\n  {# note #}\nb"), "a\nb");
}

TEST(Jinja, UnknownConstructsAreNamedWithTheirLine) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"\n{% macro f() %}{% endmacro %}", "line 2: does not know the statement 'macro'"},
      {"{{ x|frobnicate }}", "filter 'frobnicate'"},
      {"{{ n is frobnicated }}", "test 'frobnicated'"},
      {"{{ frobnicate() }}", "function 'frobnicate'"},
      {"{{ text.frobnicate() }}", "method 'frobnicate'"},
      {"{{ n ** 2 }}", "'**'"},
      {"{{ n ? 1 }}", "'?'"},
      {"{{ 1 +", "no end"},
      {"{{ 'a", "closing quote"},
      {"{% if n %}x", "'if' has no 'endif'"},
      {"{% for %}{% endfor %}", "expected a name"},
      {"{% endif %}", "endif"},
      {"{{ missing.x }}", "undefined value"},
      {"{{ 1 + 'a' }}", "'+'"},
      {"{{ messages }}", "cannot print a list"},
      {"{{ 1 // 0 }}", "zero"},
      {"{{ range(1000000000) }}", "range"},
      {"{{ raise_exception('only users, please') }}", "only users, please"},
      {"{{ '\\q' }}", "\\q"},
      {"{{ 99999999999999999999 }}", "too large"},
      {"{{ n|trim }}", "'trim' needs a text"},
      {"{{ 'a'|replace('a') }}", "'replace' needs a text"},
      {"{{ 'a'|trim(x=1) }}", "'x'"},
      {"{% break %}", "'break'"},
      {"{# open", "comment"},
      {"{{ " + std::string(500, '(') + "1" + std::string(500, ')') + " }}", "nested too deeply"},
  };
  for (const auto& [source, named] : bad)
    testing::expect_error(ErrorKind::value, named, [&, s = source] { render(s); });
}

}  // namespace
}  // namespace plaudit
