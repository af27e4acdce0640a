// The small worlds against the numbers that the pages of their systems give.
#include <ATen/ATen.h>

#include "plaudit/claim/instructions.h"
#include "plaudit/claim/runner.h"
#include "plaudit/claim/sentilang_measures.h"
#include "plaudit/claim/table_draws.h"
#include "plaudit/claim/table_training.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

double metric(const std::string& stages, const std::string& name) {
  const auto claim = load_claim_text("claim: \"1\"\nseeds: [0]\nstages:\n" + stages +
                                         "variants: {one: {}}\nmetrics: {x: y}\n"
                                         "bars: [{name: none, value: \"1\", at_least: 1}]\n",
                                     "claims/1-test.yaml");
  const auto run = run_claim(claim, {.seeds = {0}, .jobs = 1, .folder = ""});
  const auto values = run.variants.at("one")[0].values(name);
  EXPECT_EQ(values.size(), 1u) << name;
  return values.at(0);
}

// Page 48: the fitted reference has a held-out NLL of 2.53 to 2.55 per word and a gold reward of .48 to .52.
TEST(Worlds, TheReferenceOfSentilangIsAsGoodAsItShould) {
  const std::string stages =
      "  - corpus: {lines: 8000}\n"
      "  - corpus: {lines: 4000, into: held_out}\n"
      "  - fit: {held_out: held_out, prompts: 4000}\n";
  EXPECT_NEAR(metric(stages, "held_out_nll"), 2.54, 0.015);
  EXPECT_NEAR(metric(stages, "reward"), 0.50, 0.02);
}

// Page 48: of 3000 prompts with two answers 2560 to 2650 pairs are no ties.
TEST(Worlds, TiesAreDropped) {
  const double pairs =
      metric("  - corpus: {lines: 8000}\n  - fit: {}\n  - answer_pairs: {prompts: 3000}\n", "pairs");
  EXPECT_GT(pairs, 2540);
  EXPECT_LT(pairs, 2670);
}

TEST(Worlds, GoldRewardIsOfTheAnswerAlone) {
  SentilangLines lines{at::zeros({2, 16}, at::kLong), at::tensor({3, 2}, at::kLong),
                       at::zeros({2}, at::kLong)};
  lines.tokens[0].narrow(0, 4, 3).copy_(at::tensor({23, 24, 2}, at::kLong));
  lines.tokens[1].narrow(0, 4, 2).copy_(at::tensor({33, 11}, at::kLong));
  testing::expect_close(gold_rewards(lines), at::tensor({1.6, -0.8}, at::kDouble).sigmoid());
  EXPECT_EQ(distinct_bigrams(lines), 3);
}

TEST(Worlds, InstructionsAreVerified) {
  const auto line = [](std::vector<int64_t> answer, int64_t group) {
    SentilangLines out{at::zeros({1, 16}, at::kLong),
                       at::full({1}, static_cast<int64_t>(answer.size()), at::kLong),
                       at::full({1}, group, at::kLong)};
    out.tokens[0].narrow(0, 4, out.lengths[0].item<int64_t>()).copy_(at::tensor(answer, at::kLong));
    return instructions_met(out)[0].item<bool>();
  };
  EXPECT_TRUE(line({23, 24, 11, 25, 2}, 0));
  EXPECT_FALSE(line({23, 24, 11, 2}, 0));      // two positive words
  EXPECT_FALSE(line({23, 24, 33, 25, 2}, 0));  // a negative one
  EXPECT_FALSE(line({23, 24, 11, 25}, 0));     // no end
  EXPECT_TRUE(line({11, 12, 13, 2}, 1));
  EXPECT_FALSE(line({11, 12, 2}, 1));          // two words
  EXPECT_FALSE(line({11, 12, 13, 23, 2}, 1));  // a positive one
  EXPECT_TRUE(line({23, 2}, 2));
  EXPECT_TRUE(line({11, 11, 11, 11, 23, 2}, 2));
  EXPECT_FALSE(line({11, 11, 11, 11, 11, 23, 2}, 2));  // six words
  EXPECT_FALSE(line({2}, 2));
}

TEST(Worlds, DirichletRowsSumToOneWithTheRightVariance) {
  Rng rng(2, "dirichlet");
  const auto rows = dirichlet2({20000, 4}, rng);
  testing::expect_close(rows.sum(1), at::ones({20000}, at::kDouble));
  // Concentrations 2, 2, 2, 2: variance a (a0 - a) / (a0^2 (a0 + 1)) = 2 * 6 / (64 * 9).
  EXPECT_NEAR(rows.select(1, 0).var().item<double>(), 12.0 / 576, 1e-3);
}

TEST(Worlds, RowsAreDrawnByTheirProbabilities) {
  Rng rng(2, "rows");
  const auto law = at::tensor({0.5, 0.0, 0.3, 0.2}, at::kDouble).expand({40000, 4});
  const auto counts = at::bincount(draw_rows(law, rng), {}, 4).to(at::kDouble) / 40000;
  EXPECT_EQ(counts[1].item<double>(), 0);
  EXPECT_LT((counts - law[0]).abs().max().item<double>(), 0.01);
}

TEST(TableTraining, EvaluatesAtTheStepsThatAreNamed) {
  const auto x = at::zeros({2}, at::kDouble).set_requires_grad(true);
  std::vector<int64_t> steps, seen;
  train_table(
      "x", {{"x", x}}, 8, {.steps = 12, .batch = 3, .draw = "replacement", .evaluate_at = {4, 6, 12}},
      Rng(0, "x"),
      [&](const std::vector<int64_t>& examples) {
        seen.insert(seen.end(), examples.begin(), examples.end());
        return mean_loss((x - 1).pow(2));
      },
      [&](int64_t step) { steps.push_back(step); });
  EXPECT_THAT(steps, ::testing::ElementsAre(4, 6, 12));
  EXPECT_EQ(seen.size(), 36u);
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int64_t i) { return i >= 0 && i < 8; }));
  EXPECT_GT(x[0].item<double>(), 0.3);
}

TEST(TableTraining, AStepThatIsNeverReachedIsRefused) {
  const auto x = at::zeros({2}, at::kDouble).set_requires_grad(true);
  testing::expect_error(ErrorKind::value, "evaluate_at", [&] {
    train_table("x", {{"x", x}}, 1, {.steps = 3, .batch = 0, .evaluate_at = {4}}, Rng(0, "x"),
                [&](const std::vector<int64_t>&) { return mean_loss(x); });
  });
}

}  // namespace
}  // namespace plaudit
