#include "plaudit/model/ngram.h"

#include "plaudit/objective/sequence_logps.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace sentilang;
using testing::expect_close;

SentilangLines some_lines(int64_t count = 50) {
  Rng rng(3, "lines");
  auto lines = sentilang_corpus(count, {}, rng);
  lines.groups = (rng.uniform_tensor({count}, at::kDouble) * 2).to(at::kLong);
  return lines;
}

NgramPolicy random_policy(int64_t groups) {
  return NgramPolicy::from_weights({testing::normal({groups * NgramPolicy::rows_per_group, vocabulary - 2})});
}

TEST(Ngram, StartsUniformWithPadAndBosFixed) {
  const auto policy = NgramPolicy::table();
  const auto logits = policy.logits();
  EXPECT_EQ(logits.size(0), 215);
  EXPECT_EQ(logits.size(1), 43);
  EXPECT_TRUE(logits.narrow(1, 0, 2).eq(-30).all().item<bool>());
  EXPECT_NEAR(policy.log_probs()[7][5].item<double>(), -std::log(41.0), 1e-9);
}

// The readable twin: row = group, previous word, class of the one before it.
TEST(Ngram, LineValuesAreThoseOfTheRowsOfTheirContexts) {
  const auto lines = some_lines();
  const auto table = random_policy(2).log_probs().detach();
  const auto [values, mask] = line_values(table, lines);
  const auto answers = answer_values(table, lines);
  for (int64_t i = 0; i < lines.size(); ++i) {
    const auto word = [&](int64_t t) { return t < 0 ? pad : lines.tokens[i][t].item<int64_t>(); };
    for (int64_t t = 1; t < 4 + lines.lengths[i].item<int64_t>(); ++t) {
      const auto row = (lines.groups[i].item<int64_t>() * 43 + word(t - 1)) * 5 + class_of(word(t - 2));
      EXPECT_EQ(values[i][t - 1].item<double>(), table[row][word(t)].item<double>());
      if (t >= 4) EXPECT_EQ(answers[i][t - 4].item<double>(), values[i][t - 1].item<double>());
    }
  }
  EXPECT_EQ(mask.sum().item<int64_t>(), lines.lengths.sum().item<int64_t>() + 3 * lines.size());
}

// The same sums as the language models' log-probabilities from logits and labels.
TEST(Ngram, AgreesWithSequenceLogps) {
  auto lines = some_lines();
  lines.groups.zero_();
  const auto policy = random_policy(1);
  const int64_t n = lines.size();
  auto logits = at::zeros({n, 16, 43}, at::kDouble);
  const auto rows = answer_rows(lines);
  logits.narrow(1, 3, 12).copy_(
      policy.logits().detach().index_select(0, rows.reshape({-1})).view({n, 12, 43}));
  auto labels = at::full({n, 16}, -100, at::kLong);
  labels.narrow(1, 4, 12).copy_(
      at::where(lines.mask(), lines.answers(), at::full_like(lines.answers(), -100)));
  expect_close(answer_values(policy.log_probs(), lines).sum(1).detach(),
               sequence_logps(logits, labels).logps);
}

TEST(Ngram, SamplesFollowTheTable) {
  const auto policy = random_policy(1);
  const auto log_probs = policy.log_probs().detach();
  Rng rng(5, "samples");
  const auto prompt = at::tensor({1, 4, 12, 15}, at::kLong).unsqueeze(0).repeat({60000, 1});
  const auto lines = sample_answers(log_probs, prompt, rng);
  const auto counts = at::bincount(lines.answers().select(1, 0), {}, 43).to(at::kDouble) / 60000;
  const auto law = log_probs[15 * 5 + class_of(12)].exp();
  EXPECT_LT((counts - law).abs().max().item<double>(), 0.01);
  EXPECT_EQ(lines.answers().eq(eos).sum().item<int64_t>(), lines.ended().sum().item<int64_t>());
  Rng again(5, "samples");
  EXPECT_TRUE(sample_answers(log_probs, prompt, again).tokens.equal(lines.tokens));
}

TEST(Ngram, KlOfRowsIsExact) {
  const auto p = random_policy(1).log_probs().detach(), q = random_policy(1).log_probs().detach();
  expect_close(row_kl(p, q)[9], (p[9].exp() * (p[9] - q[9])).sum());
  EXPECT_EQ(row_kl(p, p).abs().max().item<double>(), 0);
}

TEST(Ngram, CloneHasWeightsOfItsOwn) {
  const auto policy = random_policy(1);
  const auto copy = policy.clone();
  policy.parameters()[0].tensor.detach().zero_();
  EXPECT_GT(copy.parameters()[0].tensor.abs().sum().item<double>(), 0);
  EXPECT_TRUE(copy.parameters()[0].tensor.requires_grad());
}

TEST(Ngram, FactoredTablesAreProducts) {
  const auto policy = NgramPolicy::factored(24, 0.3, Rng(1, "weights"));
  ASSERT_EQ(policy.parameters().size(), 2u);
  const auto e = policy.parameters()[0].tensor, u = policy.parameters()[1].tensor;
  expect_close(policy.logits().detach().narrow(1, 2, 41), e.matmul(u.t()).detach());
  EXPECT_NEAR(e.std().item<double>(), 0.3, 0.02);
}

}  // namespace
}  // namespace plaudit
