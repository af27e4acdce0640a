// Files of records and chat templates with edits that no one meant: they are read, or refused by name.
#include <gtest/gtest.h>

#include "plaudit/data/chat_template.h"
#include "plaudit/data/jinja.h"
#include "plaudit/data/reader.h"
#include "tests/data/temp_file.h"
#include "tests/support/odd_text.h"

namespace plaudit {
namespace {

using testing::ends;
using testing::mutated;

const std::vector<std::string> kJsonWords = {"null",
                                             "true",
                                             "{",
                                             "}",
                                             "[",
                                             "]",
                                             ",",
                                             ":",
                                             "\"",
                                             "\\",
                                             "\\ud800",
                                             "\\u0000",
                                             "\n",
                                             "{}",
                                             "\"role\"",
                                             "1e5",
                                             "\"prompt\": [], ",
                                             "[[[[",
                                             "\"chosen\": null, ",
                                             "\xFF"};

TEST(MutatedInputs, RecordsAreReadOrRefused) {
  const std::string pairs =
      R"({"prompt": "Name a river.", "chosen": "The Nile", "rejected": "No", "margin": 1.5}
{"prompt": [{"role": "user", "content": "2+2?"}], "chosen": [{"role": "assistant", "content": "4"}], "rejected": [{"role": "assistant", "content": "5"}]}
{"prompt": "Caf\u00e9?", "chosen": "Oui \ud83d\ude00", "rejected": "Non", "weight": 0.5}
)";
  const std::string lists =
      R"([{"instruction": "Hi", "completions": [{"response": "a", "overall_score": 3}, {"response": "b", "overall_score": 1}]},
 {"prompt": "Yo", "completions": ["a", "b", "c"], "scores": [1, 2, 2]}])";
  const std::string labels =
      "{\"prompt\": \"Hi\", \"completion\": \"Yo\", \"label\": true}\n{\"prompt\": \"Hi\", \"completion\": "
      "\"\", \"label\": 0}\n";
  ReadOptions options;
  options.max_rejected = 1;
  Rng random(0, "records");
  int read = 0;
  const auto sound = [&](const ReadReport& report) {
    EXPECT_EQ(report.read, report.kept + static_cast<int64_t>(report.rejected.size()));
  };
  for (int i = 0; i < 2500; ++i) {
    const auto text = mutated(random, i % 3 == 0 ? pairs : i % 3 == 1 ? lists : labels, kJsonWords);
    const TempFile file(i % 3 == 1 ? ".json" : ".jsonl", text);
    read += ends(
        [&] {
          if (i % 3 == 0)
            sound(read_preference_pairs(file.path(), options).report);
          else if (i % 3 == 1)
            sound(read_ranked_lists(file.path(), options).report);
          else
            sound(read_unpaired_feedback(file.path(), options).report);
        },
        text);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(read, 500);
}

TEST(MutatedInputs, ChatTemplatesAreRenderedOrRefused) {
  const std::vector<std::string> words = {"{{ ",
                                          " }}",
                                          "{% ",
                                          " %}",
                                          "{%- if ",
                                          "{%- endif %}",
                                          "{% for m in messages %}",
                                          "{% endfor %}",
                                          "{% set x = ",
                                          "loop.index",
                                          "messages[0]",
                                          "|trim",
                                          "|join(',')",
                                          "[::-1]",
                                          " ~ ",
                                          "range(5)",
                                          "range(1000000000)",
                                          "not ",
                                          "none",
                                          "'",
                                          "{# ",
                                          "(",
                                          ")",
                                          "* 999999999",
                                          "raise_exception('x')"};
  const Json variables = {
      {"messages", {{{"role", "user"}, {"content", " Hi "}}, {{"role", "assistant"}, {"content", "Yo"}}}},
      {"add_generation_prompt", true},
      {"bos_token", "<s>"},
      {"eos_token", "</s>"}};
  Rng random(0, "templates");
  int rendered = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto& families = chat_families();
    const auto text =
        mutated(random, chat_template_source(families[static_cast<size_t>(i) % families.size()]), words);
    rendered += ends([&] { EXPECT_LE(render_jinja(text, variables).size(), size_t{64} << 20); }, text);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(rendered, 500);
}

}  // namespace
}  // namespace plaudit
