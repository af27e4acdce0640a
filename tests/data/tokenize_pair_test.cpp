#include "plaudit/data/tokenize_pair.h"

#include <gtest/gtest.h>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

TEST(TruncatePair, CutsThePromptBeforeTheAnswers) {
  const auto fits = truncate_pair({5, 6, 7}, {8, 9}, {10}, 2, {6, 2, "keep_end"});
  EXPECT_EQ(fits.prompt, (Ids{5, 6, 7}));
  EXPECT_FALSE(fits.prompt_cut || fits.answers_cut);

  const auto prompt_only = truncate_pair({5, 6, 7, 8}, {9, 10}, {11}, 2, {6, 3, "keep_end"});
  EXPECT_EQ(prompt_only.prompt, (Ids{6, 7, 8}));
  EXPECT_EQ(prompt_only.chosen, (Ids{9, 10, 2}));
  EXPECT_TRUE(prompt_only.prompt_cut);
  EXPECT_FALSE(prompt_only.answers_cut);
}

TEST(TruncatePair, ACutAnswerLosesItsEos) {
  // The prompt is shorter than max_prompt_length, and the answers still get max_length - max_prompt_length.
  const auto pair = truncate_pair({5}, {6, 7, 8, 9, 10}, {11}, 2, {6, 3, "keep_start"});
  EXPECT_EQ(pair.prompt, (Ids{5}));
  EXPECT_EQ(pair.chosen, (Ids{6, 7, 8}));
  EXPECT_EQ(pair.rejected, (Ids{11, 2}));
  EXPECT_FALSE(pair.prompt_cut);
  EXPECT_TRUE(pair.answers_cut);
}

TEST(TruncatePair, NothingOfThePromptMayBeKept) {
  EXPECT_EQ(truncate_pair({5, 6}, {7}, {8}, 2, {3, 0, "keep_end"}).prompt, Ids{});
  EXPECT_EQ(truncate_pair({5, 6}, {7}, {8}, 2, {3, 0, "keep_start"}).prompt, Ids{});
}

TEST(TokenizePair, EmptyPromptAndAnswersLeaveEos) {
  const auto pair = tokenize_pair({}, {}, {4}, 2);
  EXPECT_EQ(pair.chosen_ids, (Ids{2}));
  EXPECT_EQ(pair.chosen_labels, (Ids{2}));
  EXPECT_EQ(pair.rejected_ids, (Ids{4, 2}));
}

TEST(TokenizePair, LabelsIgnoreThePrompt) {
  EXPECT_EQ(tokenize_pair({5, 6}, {7}, {8}, 2).chosen_labels, (Ids{-100, -100, 7, 2}));
}

TEST(TokenizePair, RefusesBadIdsAndOptions) {
  const TokenizePairOptions normal;
  EXPECT_THROW(tokenize_pair({2}, {4}, {5}, 2, normal), UserError);
  EXPECT_THROW(tokenize_pair({3}, {2}, {5}, 2, normal), UserError);
  EXPECT_THROW(tokenize_pair({3}, {4}, {2}, 2, normal), UserError);
  EXPECT_THROW(tokenize_pair({-1}, {4}, {5}, 2, normal), UserError);
  EXPECT_THROW(tokenize_pair({3}, {4}, {5}, -1, normal), UserError);
  EXPECT_THROW(tokenize_pair({3}, {4}, {5}, 2, {0, 1, "keep_end"}), UserError);
  EXPECT_THROW(tokenize_pair({3}, {4}, {5}, 2, {8, -1, "keep_end"}), UserError);
  EXPECT_THROW(tokenize_pair({3}, {4}, {5}, 2, {8, 4, "keep_middle"}), UserError);
  // No room for an answer, and one must be cut.
  EXPECT_THROW(tokenize_pair({3, 4, 5}, {6}, {7}, 2, {4, 4, "keep_end"}), UserError);
  EXPECT_NO_THROW(tokenize_pair({3, 4}, {6}, {7}, 2, {4, 256, "keep_end"}));
}

}  // namespace
}  // namespace plaudit
