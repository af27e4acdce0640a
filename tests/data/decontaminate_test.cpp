#include "plaudit/data/decontaminate.h"

#include <random>

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// The readable twin: mark every n-gram of the query that stands anywhere in the document.
double plain_coverage(const Tokens& query, const Tokens& document, size_t n) {
  std::vector<bool> covered(query.size());
  for (size_t i = 0; i + n <= query.size(); ++i) {
    for (size_t j = 0; j + n <= document.size(); ++j) {
      if (std::equal(query.begin() + i, query.begin() + i + n, document.begin() + j))
        std::fill(covered.begin() + i, covered.begin() + i + n, true);
    }
  }
  return static_cast<double>(std::count(covered.begin(), covered.end(), true)) /
         static_cast<double>(query.size());
}

TEST(DecontaminationTokens, LowerCaseLettersOfAnyScript) {
  EXPECT_EQ(decontamination_tokens("\xC3\x89T\xC3\x89-Zw\xC3\x96lf"),
            (Tokens{"\xC3\xA9t\xC3\xA9", "zw\xC3\xB6lf"}));
}

TEST(NgramOverlap, EqualsTheQuadraticSearch) {
  for_draws(300, [] {
    const auto words = [](int64_t count) {
      Tokens tokens;
      for (int64_t i = 0; i < count; ++i)
        tokens.push_back(std::string(1, static_cast<char>('a' + integer(0, 2))));
      return tokens;
    };
    const auto query = words(integer(1, 12));
    const std::vector<Tokens> documents = {words(integer(0, 20)), words(integer(0, 20)), query};
    const int64_t n = integer(1, 4);
    const auto r = ngram_overlap(query, documents, n);
    for (size_t d = 0; d < documents.size(); ++d)
      EXPECT_DOUBLE_EQ(r.scores[d], plain_coverage(query, documents[d], static_cast<size_t>(n)));
  });
}

// Two thousand training questions, forty of them with a long copy of a test question and forty with a short
// one.
TEST(Decontaminate, FindsEveryPlantedRowAndNoOther) {
  for (unsigned seed = 0; seed < 3; ++seed) {
    std::mt19937 random(seed);
    const auto question = [&](size_t words) {
      std::string text;
      for (size_t i = 0; i < words; ++i) text += (i ? " w" : "w") + std::to_string(random() % 5000);
      return text;
    };
    const auto first_words = [](const std::string& text, size_t count) {
      size_t end = 0;
      for (size_t i = 0; i < count && end != std::string::npos; ++i) end = text.find(' ', end + 1);
      return text.substr(0, end);
    };
    std::vector<std::string> train, tests;
    std::vector<size_t> lengths;
    for (int i = 0; i < 100; ++i) {
      lengths.push_back(15 + random() % 16);
      tests.push_back(question(lengths.back()));
    }
    for (int i = 0; i < 2000; ++i) train.push_back(question(15 + random() % 16));
    std::vector<int64_t> planted;
    for (size_t i = 0; i < 80; ++i) {
      const bool much = i < 40;
      const double share = (much ? 0.6 : 0.1) + 0.01 * static_cast<double>(random() % (much ? 41 : 31));
      const double words = share * static_cast<double>(lengths[i]);
      const auto copied = static_cast<size_t>(much ? std::ceil(words) : std::floor(words));
      train[20 * i] = question(5) + " " + first_words(tests[i], copied) + " " + question(5);
      if (much) planted.push_back(static_cast<int64_t>(20 * i));
    }
    const auto r = decontaminate(train, tests);
    EXPECT_EQ(r.contaminated, planted);
    EXPECT_EQ(r.contaminated.size() + r.kept.size(), train.size());
    EXPECT_DOUBLE_EQ(r.eval_overlap_rate, 0.4);
  }
}

TEST(Decontaminate, ErrorsNameTheArgument) {
  expect_error(ErrorKind::empty, "evaluation", [] { decontaminate({"a"}, {}); });
  expect_error(ErrorKind::empty, "query", [] { ngram_overlap({}, {}); });
  expect_error(ErrorKind::value, "n", [] { ngram_overlap({"a"}, {}, 0); });
}

}  // namespace
}  // namespace plaudit
