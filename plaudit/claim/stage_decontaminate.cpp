// Test questions planted in training questions: does the decontamination find them, and them alone?
#include <algorithm>
#include <cmath>

#include "plaudit/data/decontaminate.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct PlantedOptions {
  int64_t train = 2000, evaluation = 100, planted = 40, vocabulary = 5000;
};

}  // namespace

template <>
void describe(OptionTable<PlantedOptions>& t) {
  t.field("train", &PlantedOptions::train, "training questions", at_least(2));
  t.field("evaluation", &PlantedOptions::evaluation, "test questions", at_least(1));
  t.field("planted", &PlantedOptions::planted,
          "training questions with most of a test question, and as many with a little", at_least(1));
  t.field("vocabulary", &PlantedOptions::vocabulary, "random words", at_least(2));
}

namespace {

constexpr int64_t kShortest = 15, kLongest = 30;  // words of a question

void check_planted(const PlantedOptions& o) {
  if (2 * o.planted > std::min(o.train, o.evaluation))
    fail(ErrorKind::value, "planted",
         fmt::format("must be at most half of {}", std::min(o.train, o.evaluation)));
}

Tokens draw_question(const PlantedOptions& o, Rng& rng) {
  Tokens out(static_cast<size_t>(kShortest + rng.below(kLongest - kShortest + 1)));
  for (auto& word : out) word = fmt::format("w{}", rng.below(o.vocabulary));
  return out;
}

// `count` words of `question` from a random place, amid the words of `around`.
Tokens plant(const Tokens& around, const Tokens& question, int64_t count, Rng& rng) {
  const auto from = rng.below(static_cast<int64_t>(question.size()) - count + 1);
  auto out = around;
  out.insert(out.begin() + rng.below(static_cast<int64_t>(around.size()) + 1), question.begin() + from,
             question.begin() + from + count);
  return out;
}

std::vector<std::string> texts_of(const std::vector<Tokens>& questions) {
  std::vector<std::string> out;
  for (const auto& question : questions) out.push_back(fmt::format("{}", fmt::join(question, " ")));
  return out;
}

void run_planted(const PlantedOptions& o, RunContext& context) {
  auto rng = context.rng("questions");
  std::vector<Tokens> train, evaluation;
  for (int64_t i = 0; i < o.train; ++i) train.push_back(draw_question(o, rng));
  for (int64_t i = 0; i < o.evaluation; ++i) evaluation.push_back(draw_question(o, rng));
  // Questions of the test in a random order: the first ones mostly copied, the next ones a little.
  const auto order = rng.permutation(o.evaluation);
  for (int64_t i = 0; i < 2 * o.planted; ++i) {
    const auto& question = evaluation[static_cast<size_t>(order[static_cast<size_t>(i)])];
    const auto words = static_cast<double>(question.size());
    const bool most = i < o.planted;
    const double count = most ? std::ceil((0.6 + 0.4 * rng.uniform()) * words)
                              : std::floor((0.1 + 0.3 * rng.uniform()) * words);
    auto& row = train[static_cast<size_t>(i)];
    row = plant(row, question, static_cast<int64_t>(count), rng);
  }
  const auto result = decontaminate(texts_of(train), texts_of(evaluation));
  double found = 0;
  for (const auto row : result.contaminated) found += row < o.planted ? 1 : 0;
  auto& summary = context.summary();
  summary.metric("found", found / static_cast<double>(o.planted));
  summary.metric("false_alarms", static_cast<double>(result.contaminated.size()) - found);
  summary.metric("rate_error", std::abs(result.eval_overlap_rate -
                                        static_cast<double>(o.planted) / static_cast<double>(o.evaluation)));
}

PLAUDIT_STAGE(planted_overlap, PlantedOptions,
              {
                  .doc = "Plants test questions in training questions and looks for them.",
                  .check = check_planted,
                  .run = run_planted,
              });

}  // namespace
}  // namespace plaudit
