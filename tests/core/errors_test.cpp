#include "plaudit/core/errors.h"

#include <gtest/gtest.h>

namespace plaudit {
namespace {

TEST(Errors, MessageNamesPlaceAndCarriesKind) {
  try {
    fail(ErrorKind::shape, "reward.score", "hidden must have 3 dimensions");
    FAIL() << "did not throw";
  } catch (const UserError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::shape);
    EXPECT_EQ(message_of(error), "reward.score: hidden must have 3 dimensions");
  }
}

TEST(Errors, NearestFindsTyposAndNothingFarAway) {
  const std::vector<std::string> keys = {"beta", "epochs", "learning_rate"};
  EXPECT_EQ(nearest("learnin_rate", keys), "learning_rate");
  EXPECT_EQ(nearest("epoch", keys), "epochs");
  EXPECT_EQ(nearest("temperature", keys), "");
}

TEST(Errors, SuggestionListsChoicesWhenNoneIsNear) {
  EXPECT_EQ(suggestion("kot", {"sft", "kto"}), ", did you mean 'kto'?");  // swapped letters are one mistake
  EXPECT_EQ(suggestion("xyz", {"alpha", "omega"}), ", expected one of: alpha, omega");
}

}  // namespace
}  // namespace plaudit
