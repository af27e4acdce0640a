#include "plaudit/model/sentence_encoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "plaudit/core/files.h"
#include "plaudit/core/rng.h"
#include "plaudit/core/safetensors.h"
#include "tests/support/files.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

// A folder of a random BERT of one layer, width 8, ten tokens and six positions.
class SentenceEncoderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_json(folder_ / "config.json", {{"model_type", "bert"},
                                         {"vocab_size", 10},
                                         {"hidden_size", 8},
                                         {"num_hidden_layers", 1},
                                         {"num_attention_heads", 2},
                                         {"intermediate_size", 12},
                                         {"max_position_embeddings", 6}});
    Json vocab = Json::object();
    for (const char* token : {"[UNK]", "[CLS]", "[SEP]", "a", "b", "##c"}) vocab[token] = vocab.size();
    write_json(
        folder_ / "tokenizer.json",
        {{"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
         {"post_processor", {{"type", "BertProcessing"}, {"cls", {"[CLS]", 1}}, {"sep", {"[SEP]", 2}}}},
         {"model", {{"type", "WordPiece"}, {"vocab", vocab}}}});
    const auto put = [&](const std::string& name, std::vector<int64_t> sizes) {
      tensors_[name] = Rng(3, name).normal_tensor(sizes);
    };
    const auto affine = [&](const std::string& name, std::vector<int64_t> sizes) {
      put(name + ".weight", sizes);
      put(name + ".bias", {sizes[0]});
    };
    put("embeddings.word_embeddings.weight", {10, 8});
    put("embeddings.position_embeddings.weight", {6, 8});
    put("embeddings.token_type_embeddings.weight", {2, 8});
    affine("embeddings.LayerNorm", {8});
    const std::string layer = "encoder.layer.0.";
    for (const char* name :
         {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"})
      affine(layer + name, {8, 8});
    affine(layer + "attention.output.LayerNorm", {8});
    affine(layer + "intermediate.dense", {12, 8});
    affine(layer + "output.dense", {8, 12});
    affine(layer + "output.LayerNorm", {8});
  }

  std::shared_ptr<SentenceEncoder> load() {
    save_safetensors(folder_ / "model.safetensors", tensors_);
    return SentenceEncoder::load(folder_.path().string());
  }

  void write_pooling(const Json& settings) {
    create_folder(folder_ / "pool");
    write_json(folder_ / "pool/config.json", settings);
  }

  testing::TemporaryFolder folder_;
  std::map<std::string, at::Tensor> tensors_;
};

TEST_F(SentenceEncoderTest, TextsOfUnequalLengthsDoNotTouchEachOther) {
  const auto encoder = load();
  const std::vector<std::vector<int64_t>> ids = {{1, 3, 2}, {1, 3, 4, 5, 2}, {1, 2}, {1, 4, 2}, {1, 3, 2}};
  const auto together = encoder->embed_ids(ids);
  ASSERT_EQ(together.sizes(), at::IntArrayRef({5, 8}));
  testing::expect_close(together.norm(2, {1}), at::ones({5}), 1e-6);
  for (size_t i = 0; i < ids.size(); ++i)
    testing::expect_close(encoder->embed_ids({ids[i]})[0], together[static_cast<int64_t>(i)], 1e-6);
  testing::expect_close(encoder->embed({"a", "a bc", "", "b"}), together.slice(0, 0, 4), 1e-6);
  EXPECT_FALSE(together.requires_grad());
  EXPECT_TRUE((together * at::ones({8}).requires_grad_(true)).requires_grad());
}

TEST_F(SentenceEncoderTest, ModulesDecideAboutNormalisation) {
  write_json(folder_ / "modules.json", Json::parse(R"([{"type": "x.Transformer", "path": ""},
                                                       {"type": "x.Pooling", "path": "pool"}])"));
  write_pooling({{"pooling_mode_mean_tokens", true}});
  EXPECT_FALSE(load()->config().normalize);
  write_pooling({{"pooling_mode_cls_token", true}});
  testing::expect_error(ErrorKind::value, "pooling_mode_mean_tokens", [&] { load(); });
}

TEST_F(SentenceEncoderTest, MistakesAreNamed) {
  const auto encoder = load();
  testing::expect_error(ErrorKind::empty, "texts", [&] { encoder->embed({}); });
  testing::expect_error(ErrorKind::empty, "texts[1]", [&] { encoder->embed_ids({{1}, {}}); });
  testing::expect_error(ErrorKind::value, "at most 6", [&] { encoder->embed({"a a a a a"}); });
  testing::expect_error(ErrorKind::value, "ids in [0, 10)", [&] { encoder->embed_ids({{10}}); });
  auto& bias = tensors_["encoder.layer.0.output.dense.bias"];
  bias = at::zeros({7});
  testing::expect_error(ErrorKind::shape, "output.dense.bias", [&] { load(); });
  tensors_.erase("encoder.layer.0.output.dense.bias");
  testing::expect_error(ErrorKind::value, "output.dense.bias is missing", [&] { load(); });
}

}  // namespace
}  // namespace plaudit
