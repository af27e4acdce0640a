#include "plaudit/run/option_use.h"

#include <gtest/gtest.h>

namespace plaudit {

struct MethodOptions {
  std::string method = "a";
  double alpha = 1;
  std::optional<double> beta = {};
};

template <>
void describe(OptionTable<MethodOptions>& t) {
  t.field("method", &MethodOptions::method, "which");
  t.field("alpha", &MethodOptions::alpha, "of a");
  t.field("beta", &MethodOptions::beta, "of b");
}

namespace {

std::string error_of(const MethodOptions& options, const std::vector<std::string>& used) {
  try {
    refuse_unused(options, "method " + options.method, used);
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "";
}

TEST(RefuseUnused, AnOptionOfAnotherMethodIsNamedWithWhatThisOneHas) {
  const auto message = error_of({"a", 1, 0.5}, {"method", "alpha"});
  EXPECT_NE(message.find("beta"), std::string::npos) << message;
  EXPECT_NE(message.find("method a"), std::string::npos) << message;
  EXPECT_NE(message.find("method, alpha"), std::string::npos) << message;
}

TEST(RefuseUnused, DefaultsAndUsedOptionsPass) {
  EXPECT_EQ(error_of({"a", 2, {}}, {"method", "alpha"}), "");
  EXPECT_EQ(error_of({"b", 1, 0.5}, {"method", "beta"}), "");
}

TEST(RefuseUnused, KeysOfAPartAreThoseOfItsTable) {
  EXPECT_EQ(keys_of<MethodOptions>(), (std::vector<std::string>{"method", "alpha", "beta"}));
  EXPECT_EQ(joined({{"x"}, {}, {"y", "z"}}), (std::vector<std::string>{"x", "y", "z"}));
}

}  // namespace
}  // namespace plaudit
