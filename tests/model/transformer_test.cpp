#include "plaudit/model/transformer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "tests/model/support.h"

namespace plaudit {
namespace {

using testing::difference;

TransformerConfig small() {
  TransformerConfig c;
  c.family = "llama";
  c.vocab = 50;
  c.hidden = 16;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = 2;
  c.head_dim = 4;
  c.ffn = 24;
  c.context = 64;
  return c;
}

PackedBatch some_batch() {
  PackedBuilder b;
  const auto prompt = b.add({4, 8, 15, 16});
  b.add({23, 42}, prompt);
  b.add({7, 9, 11}, prompt);
  return b.build();
}

std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const UserError& error) {
    return message_of(error);
  }
  return "no error";
}

TEST(Transformer, SeedsDecideTheWeights) {
  const auto a = Transformer::random(small(), 1), b = Transformer::random(small(), 1),
             c = Transformer::random(small(), 2);
  EXPECT_EQ(a->fingerprint(), b->fingerprint());
  EXPECT_NE(a->fingerprint(), c->fingerprint());
}

TEST(Transformer, AdapterStartsAsNoChangeAndIsAllThatTrains) {
  const auto model = Transformer::random(small(), 1);
  EXPECT_TRUE(model->trainable().empty());
  const auto before = model->hidden(some_batch());
  model->add_lora({.rank = 2}, 3);
  EXPECT_EQ(difference(model->hidden(some_batch()), before), 0);
  EXPECT_EQ(model->trainable().size(), 2u * 7 * 2);
  EXPECT_EQ(model->trainable()[0].name, "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
  for (auto& p : model->trainable()) p.tensor.detach().add_(0.1);
  const auto changed = model->hidden(some_batch());
  EXPECT_GT(difference(changed, before), 1e-3);
  EXPECT_EQ(difference(model->hidden(some_batch(), false), before), 0);
  model->merge_lora();
  EXPECT_LT(difference(model->hidden(some_batch()), changed), 1e-5);
}

TEST(Transformer, DropoutIsAFunctionOfItsKey) {
  const auto model = Transformer::random(small(), 1);
  model->add_lora({.rank = 2, .dropout = 0.5}, 3);
  for (auto& p : model->trainable()) p.tensor.detach().add_(0.1);
  const auto run = [&](std::optional<uint64_t> key, bool checkpointing) {
    model->set_dropout_key(key);
    model->set_gradient_checkpointing(checkpointing);
    const auto hidden = model->hidden(some_batch());
    return torch::autograd::grad({hidden.square().sum()}, {model->trainable()[0].tensor})[0];
  };
  EXPECT_EQ(difference(run(5, false), run(5, false)), 0);
  EXPECT_EQ(difference(run(5, true), run(5, false)), 0);
  EXPECT_GT(difference(run(5, false), run(6, false)), 0);
  EXPECT_GT(difference(run(5, false), run({}, false)), 0);
}

TEST(Transformer, Bf16StaysNearF32AndKeepsItsStorage) {
  const auto model = Transformer::random(small(), 1);
  const auto exact = model->hidden(some_batch());
  model->set_precision(Precision::bf16_autocast);
  EXPECT_EQ(model->weights().begin()->second.scalar_type(), at::kFloat);
  EXPECT_LT(difference(model->hidden(some_batch()), exact), 0.1);
  model->set_precision(Precision::bf16);
  EXPECT_EQ(model->weights().begin()->second.scalar_type(), at::kBFloat16);
  EXPECT_LT(difference(model->hidden(some_batch()), exact), 0.15);
}

TEST(Transformer, MistakesAreNamed) {
  const auto model = Transformer::random(small(), 1);
  EXPECT_THAT(message([&] { model->add_lora({.targets = {"q_prj"}}, 0); }),
              ::testing::HasSubstr("did you mean 'q_proj'"));
  auto batch = some_batch();
  batch.ids[2] = 50;
  EXPECT_THAT(message([&] { model->hidden(batch); }),
              ::testing::HasSubstr("ids must lie in [0, 50), got 50"));
  EXPECT_THAT(message([&] { model->save_adapter("/nowhere"); }), ::testing::HasSubstr("no adapter"));
  auto config = small();
  config.kv_heads = 3;
  EXPECT_THAT(message([&] { Transformer::random(config, 0); }),
              ::testing::HasSubstr("multiple of the kv heads"));
}

TEST(Config, UnknownAndMissingKeysAreNamed) {
  EXPECT_THAT(message([] {
                config_from_json(Json{{"model_type", "llama2"}}, "config.json");
              }),
              ::testing::HasSubstr("did you mean 'llama'"));
  EXPECT_THAT(message([] {
                config_from_json(Json{{"model_type", "llama"}, {"vocab_size", 9}}, "config.json");
              }),
              ::testing::HasSubstr("config.json: hidden_size is missing"));
}

TEST(Config, JsonRoundTrip) {
  auto c = small();
  c.rope_scaling = {"llama3", 8, 1, 4, 32, {}};
  c.eos_ids = {3, 4};
  const auto json = config_to_json(c, "float32");
  EXPECT_EQ(config_to_json(config_from_json(json, "config.json"), "float32"), json);
}

}  // namespace
}  // namespace plaudit
