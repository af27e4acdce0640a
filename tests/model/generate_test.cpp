#include "plaudit/model/generate.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "plaudit/model/decode_model.h"
#include "plaudit/model/decode_schedule.h"
#include "tests/model/tiny_models.h"

namespace plaudit {
namespace {

using Prompts = std::vector<std::vector<int64_t>>;

LanguageModel language_model(const std::string& family) {
  return {testing::tiny_model(family), nullptr, "", family};
}

std::vector<int64_t> random_ids(int64_t n, const std::string& name) {
  Rng rng(11, name);
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < n; ++i) ids.push_back(rng.below(101));
  return ids;
}

// Log-probabilities [n, vocab] of the tokens after the prompt, by the full forward pass.
at::Tensor full_logps(const Transformer& model, const std::vector<int64_t>& prompt,
                      const std::vector<int64_t>& ids) {
  auto all = prompt;
  all.insert(all.end(), ids.begin(), ids.end() - 1);
  PackedBuilder builder;
  builder.add(all);
  const auto hidden = model.hidden(builder.build()).narrow(0, prompt.size() - 1, ids.size());
  return at::log_softmax(model.logits(hidden), -1);
}

class GenerateFamilies : public ::testing::TestWithParam<std::string> {};

// Claim (3) of the language-model page: decoding with the cache equals the full forward pass.
TEST_P(GenerateFamilies, CachedDecodingEqualsTheFullForward) {
  const auto model = language_model(GetParam());
  const Generator generator(model, "f32");
  // The second prompt is longer than one pass takes, the third than a block of the cache.
  const Prompts prompts = {random_ids(1, "a"), random_ids(300, "b"), random_ids(70, "c")};
  const auto answers =
      generator.generate(prompts, {.max_new_tokens = 80, .per_prompt = 2}, Rng(1, "sampling"));
  for (size_t i = 0; i < prompts.size(); ++i) {
    for (const auto& answer : answers[i]) {
      const auto expected = full_logps(*model.transformer, prompts[i], answer.ids)
                                .gather(1, at::tensor(answer.ids).unsqueeze(1))
                                .squeeze(1);
      EXPECT_LT((expected - at::tensor(answer.logps)).abs().max().item<float>(), 1e-4) << "prompt " << i;
    }
    EXPECT_NE(answers[i][0].ids, answers[i][1].ids);
  }
}

TEST_P(GenerateFamilies, GreedyIsTheArgmax) {
  const auto model = language_model(GetParam());
  const auto prompt = random_ids(9, "greedy");
  const auto answer =
      Generator(model, "f32")
          .generate({prompt}, {.max_new_tokens = 64, .temperature = 0}, Rng(0, "unused"))[0][0];
  const auto best = full_logps(*model.transformer, prompt, answer.ids).argmax(-1);
  EXPECT_TRUE(at::equal(best, at::tensor(answer.ids)));
}

// The same bits whatever shares the batch, in both precisions.
TEST_P(GenerateFamilies, AnswersDoNotDependOnTheBatch) {
  const auto model = language_model(GetParam());
  Prompts prompts;
  for (int64_t i = 0; i < 7; ++i) prompts.push_back(random_ids(3 + 17 * i, std::to_string(i)));
  for (const auto* precision : {"f32", "bf16"}) {
    const Generator generator(model, precision);
    const auto run = [&](int64_t batch) {
      return generator.generate(prompts, {.max_new_tokens = 20, .per_prompt = 3, .batch = batch},
                                Rng(4, "s"));
    };
    const auto one = run(1), five = run(5), many = run(64);
    for (size_t i = 0; i < prompts.size(); ++i) {
      for (size_t k = 0; k < 3; ++k) {
        EXPECT_EQ(one[i][k].ids, five[i][k].ids) << precision;
        EXPECT_EQ(one[i][k].ids, many[i][k].ids) << precision;
        EXPECT_EQ(one[i][k].logps, five[i][k].logps) << precision;
        EXPECT_EQ(one[i][k].logps, many[i][k].logps) << precision;
      }
    }
  }
}

TEST_P(GenerateFamilies, Bf16StaysCloseToF32) {
  const auto model = language_model(GetParam());
  const auto prompt = random_ids(40, "bf16");
  const auto answer = Generator(model, "bf16").generate({prompt}, {.max_new_tokens = 50}, Rng(2, "s"))[0][0];
  const auto expected = full_logps(*model.transformer, prompt, answer.ids)
                            .gather(1, at::tensor(answer.ids).unsqueeze(1))
                            .squeeze(1);
  EXPECT_LT((expected - at::tensor(answer.logps)).abs().mean().item<float>(), 0.1);
}

TEST_P(GenerateFamilies, AdaptersAreFoldedIn) {
  auto model = language_model(GetParam());
  const auto prompt = random_ids(12, "lora");
  const auto greedy = [&](bool use_adapter) {
    return Generator(model, "f32", use_adapter)
        .generate({prompt}, {.max_new_tokens = 12, .temperature = 0}, Rng(0, "unused"))[0][0];
  };
  const auto before = greedy(true);
  model.transformer->add_lora({.rank = 2, .targets = {"all-linear"}}, 1);
  int64_t i = 0;
  for (auto& parameter : model.transformer->trainable())
    parameter.tensor.detach().add_(Rng(9, "noise").child(i++).normal_tensor(parameter.tensor.sizes()) * 0.1);
  const auto after = greedy(true);
  EXPECT_EQ(greedy(false).ids, before.ids);
  EXPECT_NE(after.logps, before.logps);
  const auto expected = std::get<0>(full_logps(*model.transformer, prompt, after.ids).max(-1));
  EXPECT_LT((expected - at::tensor(after.logps)).abs().max().item<float>(), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Families, GenerateFamilies, ::testing::ValuesIn(testing::kFamilies));

// Every instruction set gives the logits of the full forward pass.
TEST(DecodeModel, AllKernelSetsAgree) {
  for (const auto& family : testing::kFamilies) {
    const auto model = testing::tiny_model(family);
    const auto ids = random_ids(90, "sets");
    PackedBuilder builder;
    builder.add(ids);
    const auto expected = model->logits(model->hidden(builder.build()).narrow(0, 89, 1));
    const decode::WeightSource weights = [&](const std::string& name) -> at::Tensor {
      const auto found = model->weights().find(name);
      return found == model->weights().end() ? at::Tensor() : found->second;
    };
    for (const auto* set : decode::supported_kernels()) {
      const auto logits = [&](const auto& packed) {
        const auto session = packed->session();
        const auto s = session->open();
        session->forward({{s, {ids.begin(), ids.end() - 1}, false}});
        session->forward({{s, {ids.back()}, true}});
        const auto out = at::empty({1, 101});
        session->logits(0, 1, out.mutable_data_ptr<float>());
        return out;
      };
      const auto f32 = logits(decode::packed_model<float>(model->config(), weights, *set));
      const auto bf16 = logits(decode::packed_model<decode::Bf16>(model->config(), weights, *set));
      const auto plain = logits(decode::tensor_model(model->config(), weights, at::kFloat));
      EXPECT_LT((plain - expected).abs().max().item<float>(), 1e-4) << family;
      EXPECT_LT((f32 - expected).abs().max().item<float>(), 1e-4) << family << " " << set->name;
      EXPECT_LT((bf16 - expected).abs().mean().item<float>(), 0.1) << family << " " << set->name;
    }
  }
}

TEST(Generate, StopsAtEndTokensAndAtTheContext) {
  auto config = testing::tiny_config("llama");
  const auto prompt = random_ids(5, "stop");
  const SamplingOptions options{.max_new_tokens = 40, .temperature = 0};
  const auto free_run =
      Generator(language_model("llama"), "f32").generate({prompt}, options, Rng(0, "x"))[0][0];
  EXPECT_EQ(free_run.finish, "length");
  EXPECT_EQ(free_run.ids.size(), 40u);

  // The tenth token of the free run as the end of an answer.
  const auto end = free_run.ids[9];
  config.eos_ids = {end};
  const auto stopping = Transformer::random(config, 3);
  const auto weights = testing::tiny_model("llama")->weights();
  for (const auto& [name, weight] : weights) stopping->weights().at(name).copy_(weight);
  const Generator generator({stopping, nullptr, "", ""}, "f32");
  const auto stopped = generator.generate({prompt}, options, Rng(0, "x"))[0][0];
  EXPECT_EQ(stopped.finish, "stop");
  EXPECT_EQ(stopped.ids.back(), end);
  EXPECT_LE(stopped.ids.size(), 10u);
  auto ignoring = options;
  ignoring.ignore_stop = true;
  EXPECT_EQ(generator.generate({prompt}, ignoring, Rng(0, "x"))[0][0].ids, free_run.ids);

  const auto long_prompt = random_ids(509, "long");
  EXPECT_EQ(generator.generate({long_prompt}, ignoring, Rng(0, "x"))[0][0].ids.size(), 3u);
}

// What a model was asked to compute; all logits are equal.
struct CountingModel : decode::Model, std::enable_shared_from_this<CountingModel> {
  static constexpr int64_t vocab = 5;
  mutable int64_t passes = 0, tokens = 0, opened = 0, forked = 0;

  struct Session : decode::Session {
    std::shared_ptr<const CountingModel> model;
    int64_t next = 0;

    int64_t open() override { return ++model->opened, next++; }
    int64_t fork(int64_t) override { return ++model->forked, next++; }
    void close(int64_t) override {}
    int64_t forward(const std::vector<decode::Feed>& feeds) override {
      ++model->passes;
      int64_t rows = 0;
      for (const auto& feed : feeds) {
        model->tokens += static_cast<int64_t>(feed.ids.size());
        rows += feed.wants_logits ? 1 : 0;
      }
      return rows;
    }
    void logits(int64_t, int64_t count, float* out) override { std::fill(out, out + count * vocab, 0.f); }
    void hidden(int64_t, int64_t, float*) override { FAIL() << "nobody steers"; }
  };
  std::unique_ptr<decode::Session> session() const override {
    auto made = std::make_unique<Session>();
    made->model = shared_from_this();
    return made;
  }
};

// Best of n: the prompt's tokens are computed once for all n answers, also where they do not fit side by
// side.
TEST(Generate, ManyAnswersShareTheComputationOfTheirPrompt) {
  const Prompts prompts = {random_ids(40, "a"), random_ids(600, "b")};
  const int64_t fresh = 7, n = 16;
  for (const int64_t batch : {3, 64}) {
    const auto model = std::make_shared<CountingModel>();
    const decode::Decoder decoder{model, nullptr, CountingModel::vocab, 2048, {}};
    const auto answers =
        decode::run_decoding(decoder, prompts, {.max_new_tokens = fresh, .per_prompt = n, .batch = batch},
                             {Rng(0, "a"), Rng(0, "b")}, {});
    EXPECT_EQ(answers[1].size(), static_cast<size_t>(n));
    EXPECT_EQ(model->opened, 2);
    EXPECT_EQ(model->forked, 2 * n);
    // The last token of an answer is not fed.
    EXPECT_EQ(model->tokens, 40 + 600 + 2 * n * (fresh - 1)) << batch;
  }
}

TEST(Generate, RefusesBadRequests) {
  const Generator generator(language_model("llama"), "f32");
  const auto message = [&](const Prompts& prompts, const SamplingOptions& options) {
    try {
      generator.generate(prompts, options, Rng(0, "x"));
    } catch (const UserError& error) {
      return message_of(error);
    }
    return std::string("nothing");
  };
  EXPECT_NE(message({{1}, Prompts::value_type()}, {}).find("prompt 1: has no tokens"), std::string::npos);
  EXPECT_NE(message({random_ids(512, "p")}, {}).find("512 tokens"), std::string::npos);
  EXPECT_NE(message({{101}}, {}).find("holds token 101, expected 0 to 100"), std::string::npos);
  EXPECT_NE(message({{1}}, {.max_new_tokens = 0}).find("max_new_tokens"), std::string::npos);
  EXPECT_NE(message({{1}}, {.temperature = -1}).find("temperature"), std::string::npos);
  EXPECT_NE(message({{1}}, {.batch = 0}).find("batch"), std::string::npos);
  EXPECT_NE(message({{1}}, {.stop = {"x"}}).find("tokenizer"), std::string::npos);
  EXPECT_THROW(Generator(language_model("llama"), "f16"), UserError);
  EXPECT_TRUE(generator.generate({}, {}, Rng(0, "x")).empty());
}

TEST(Generate, ReportsTokensAndProgress) {
  std::map<std::pair<int64_t, int64_t>, std::vector<int64_t>> streamed;
  std::vector<int64_t> done;
  const GenerateCallbacks callbacks{.on_token =
                                        [&](int64_t p, int64_t k, int64_t id) {
                                          streamed[{p, k}].push_back(id);
                                        },
                                    .on_done =
                                        [&](int64_t n, int64_t total) {
                                          EXPECT_EQ(total, 6);
                                          done.push_back(n);
                                        }};
  const auto answers = Generator(language_model("gpt2"), "f32")
                           .generate({{1, 2}, {3}, {4}}, {.max_new_tokens = 5, .per_prompt = 2, .batch = 4},
                                     Rng(3, "x"), callbacks);
  for (const auto& [place, ids] : streamed)
    EXPECT_EQ(answers[static_cast<size_t>(place.first)][static_cast<size_t>(place.second)].ids, ids);
  EXPECT_EQ(done, (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
}

// Tokens are the letters a, b, c, ...
class LetterTokenizer : public Tokenizer {
 public:
  std::vector<int64_t> encode(std::string_view, const EncodeOptions&) const override { return {}; }
  std::string token_bytes(int64_t id, bool) const override {
    return std::string(1, static_cast<char>('a' + id % 26));
  }
  int64_t vocab_size() const override { return 101; }
  uint64_t fingerprint() const override { return 0; }
};

TEST(Generate, StopStringsEndAnAnswerAndStayOutOfItsText) {
  auto model = language_model("llama");
  model.tokenizer = std::make_shared<LetterTokenizer>();
  const Generator generator(model, "f32");
  const SamplingOptions options{.max_new_tokens = 30};
  const auto whole = generator.generate({{1, 2, 3}}, options, Rng(6, "x"))[0][0];
  ASSERT_EQ(whole.text.size(), 30u);
  auto stopping = options;
  stopping.stop = {"never there", whole.text.substr(11, 3)};
  const auto stopped = generator.generate({{1, 2, 3}}, stopping, Rng(6, "x"))[0][0];
  EXPECT_EQ(stopped.finish, "stop");
  EXPECT_EQ(stopped.text, whole.text.substr(0, whole.text.find(stopping.stop[1])));
  EXPECT_EQ(stopped.ids.size(), stopped.text.size() + 3);
}

}  // namespace
}  // namespace plaudit
