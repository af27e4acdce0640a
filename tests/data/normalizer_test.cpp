#include "plaudit/data/normalizer.h"

#include <gtest/gtest.h>

#include "tests/support/property.h"

namespace plaudit {
namespace {

std::string apply(const std::string& json, const std::string& text) {
  const auto value = nlohmann::json::parse(json);
  return Normalizer::from_json({value, "tokenizer.json", "normalizer"})(text);
}

TEST(Normalizer, EveryType) {
  EXPECT_EQ(apply(R"({"type": "NFC"})", "e\xCC\x81"), "\xC3\xA9");
  EXPECT_EQ(apply(R"({"type": "NFKD"})", "\xEF\xAC\x81\xC3\xA9"), "fie\xCC\x81");
  EXPECT_EQ(apply(R"({"type": "Lowercase"})", "AbC"), "abc");
  EXPECT_EQ(apply(R"({"type": "StripAccents"})", "e\xCC\x81"), "e");
  EXPECT_EQ(apply(R"({"type": "Strip", "strip_left": true, "strip_right": false})", " a "), "a ");
  EXPECT_EQ(apply(R"({"type": "Prepend", "prepend": "_"})", "a"), "_a");
  EXPECT_EQ(apply(R"({"type": "Prepend", "prepend": "_"})", ""), "");
  EXPECT_EQ(apply(R"({"type": "Replace", "pattern": {"String": " "}, "content": "_"})", "a b "), "a_b_");
  EXPECT_EQ(apply(R"({"type": "Replace", "pattern": {"Regex": " +"}, "content": "_"})", "a   b"), "a_b");
  EXPECT_EQ(apply(R"({"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]})",
                  "\xC3\xA9"),
            "e");
}

TEST(Normalizer, UnknownTypesAndBrokenOnesAreNamed) {
  testing::expect_error(ErrorKind::value, "normalizer.type", [] { apply(R"({"type": "NFX"})", ""); });
  testing::expect_error(ErrorKind::type, "normalizer.type", [] { apply(R"({"type": 3})", ""); });
  testing::expect_error(ErrorKind::value, "normalizer.prepend", [] { apply(R"({"type": "Prepend"})", ""); });
  testing::expect_error(ErrorKind::empty, "pattern.String", [] {
    apply(R"({"type": "Replace", "pattern": {"String": ""}, "content": "x"})", "");
  });
}

TEST(BertNormalize, CleansSpacesAndFolds) {
  const BertNormalizerOptions lower;
  EXPECT_EQ(bert_normalize(std::string("a\0b", 3), lower), "ab");
  EXPECT_EQ(bert_normalize("a\x0B\xC2\x85\xE2\x80\x8B"
                           "b",
                           lower),
            "ab");  // Cc and Cf vanish
  EXPECT_EQ(bert_normalize("a\xC2\xA0\xE2\x80\xA8\t"
                           "b",
                           lower),
            "a   b");  // white space becomes spaces
  EXPECT_EQ(bert_normalize("\xE6\x97\xA5\xE6\x9C\xAC", lower), " \xE6\x97\xA5  \xE6\x9C\xAC ");
  EXPECT_EQ(bert_normalize("Caf\xC3\xA9", lower), "cafe");
  EXPECT_EQ(bert_normalize("Caf\xC3\xA9", {.strip_accents = false, .lowercase = false}), "Caf\xC3\xA9");
}

}  // namespace
}  // namespace plaudit
