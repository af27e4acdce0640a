#include "bench/lm_data.h"

#include <array>

#include "plaudit/core/errors.h"
#include "plaudit/data/answers.h"
#include "plaudit/train/batches.h"

namespace plaudit::bench {
namespace {

constexpr std::array kWords = {"the",    "a",     "of",     "and",     "to",    "in",     "boat",  "river",
                               "winter", "small", "light",  "teacher", "bread", "stone",  "quiet", "seven",
                               "garden", "asked", "went",   "found",   "never", "always", "house", "letter",
                               "north",  "brown", "window", "under",   "paper", "until",  "green", "early",
                               "market", "story", "wheel",  "answer"};

std::string random_text(Rng& rng, const std::string& before) {
  const auto words = 16 + rng.below(241);
  std::string text = before;
  for (int64_t i = 0; i < words; ++i)
    text += (i > 0 ? " " : "") + std::string(kWords[static_cast<size_t>(rng.below(kWords.size()))]);
  return text;
}

}  // namespace

Json step_data(const std::shared_ptr<const Tokenizer>& tokenizer, int64_t batch, int64_t steps) {
  Rng rng(0, "bench/steps");
  Json data = {{"batch", batch},
               {"steps", steps},
               {"records", Json::array()},
               {"examples", Json::array()},
               {"unpaired", Json::array()},
               {"ranked", Json::array()}};
  std::vector<TokenizedAnswers> ids;
  AnswerEncoder encoder(tokenizer, "", {}, AnswerEnd::closed);
  for (int64_t i = 0; i < batch * steps; ++i) {
    const auto prompt = random_text(rng, ""), chosen = random_text(rng, " "),
               rejected = random_text(rng, " ");
    data["records"].push_back({{"prompt", prompt}, {"chosen", chosen}, {"rejected", rejected}});
    ids.push_back(encoder.encode("bench", {prompt, {}}, {chosen, rejected}).value());
  }
  BatchPlan plan(batch * steps, step_options(data, "dpo"), step_rng());
  BatchPlan unpaired(2 * batch * steps, step_options(data, "kto"), step_rng());
  for (int64_t step = 0; step < steps; ++step) {
    for (const auto example : plan.batch(step)) {
      const auto& e = ids[static_cast<size_t>(example)];
      data["examples"].push_back(
          {{"prompt", e.prompt}, {"chosen", e.answers[0]}, {"rejected", e.answers[1]}});
      const auto& next = ids[static_cast<size_t>(example + 1) % ids.size()];
      data["ranked"].push_back(
          {{"prompt", e.prompt},
           {"answers", Json::array({e.answers[0], e.answers[1], next.answers[0], next.answers[1]})}});
    }
    for (const auto answer : unpaired.batch(step)) {
      const auto& e = ids[static_cast<size_t>(answer / 2)];
      data["unpaired"].push_back({{"prompt", e.prompt},
                                  {"completion", e.answers[static_cast<size_t>(answer % 2)]},
                                  {"desirable", answer % 2 == 0}});
    }
  }
  return data;
}

std::vector<PreferencePair> pairs_of(const Json& data) {
  std::vector<PreferencePair> pairs;
  for (const auto& record : data.at("records")) {
    auto& pair = pairs.emplace_back();
    pair.prompt.text = record.at("prompt");
    pair.chosen = record.at("chosen");
    pair.rejected = record.at("rejected");
  }
  return pairs;
}

std::vector<UnpairedFeedback> feedback_of(const Json& data) {
  std::vector<UnpairedFeedback> feedback;
  for (const auto& pair : pairs_of(data)) {
    feedback.push_back({pair.prompt, pair.chosen, true, {}});
    feedback.push_back({pair.prompt, pair.rejected, false, {}});
  }
  return feedback;
}

std::vector<RankedList> lists_of(const Json& data) {
  const auto pairs = pairs_of(data);
  std::vector<RankedList> lists;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto &pair = pairs[i], &next = pairs[(i + 1) % pairs.size()];
    auto& list = lists.emplace_back();
    list.prompt = pair.prompt;
    list.completions = {pair.chosen, pair.rejected, next.chosen, next.rejected};
  }
  return lists;
}

TrainOptions step_options(const Json& data, const std::string& job) {
  return {.epochs = 1,
          .batch = (job == "kto" ? 2 : 1) * data.at("batch").get<int64_t>(),
          .learning_rate = 1e-5,
          .schedule = "constant",
          .warmup = 0,
          .checkpoint_every = 0};
}

Rng step_rng() {
  return {0, "bench/order"};
}

int64_t tokens_of_step(const Json& data, const std::string& job, int64_t step) {
  const auto batch = data.at("batch").get<int64_t>();
  int64_t tokens = 0;
  if (job == "kto") {
    for (int64_t i = 2 * step * batch; i < 2 * (step + 1) * batch; ++i) {
      const auto& e = data.at("unpaired").at(static_cast<size_t>(i));
      tokens += static_cast<int64_t>(e.at("prompt").size() + e.at("completion").size());
    }
    return tokens;
  }
  for (int64_t i = step * batch; i < (step + 1) * batch; ++i) {
    if (job == "plackett-luce") {
      const auto& list = data.at("ranked").at(static_cast<size_t>(i));
      for (const auto& answer : list.at("answers"))
        tokens += static_cast<int64_t>(list.at("prompt").size() + answer.size());
      continue;
    }
    const auto& e = data.at("examples").at(static_cast<size_t>(i));
    tokens += static_cast<int64_t>(e.at("prompt").size() + e.at("chosen").size());
    if (job != "sft") tokens += static_cast<int64_t>(e.at("prompt").size() + e.at("rejected").size());
  }
  return tokens;
}

}  // namespace plaudit::bench
