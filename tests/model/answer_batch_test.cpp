#include "plaudit/model/answer_batch.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "plaudit/core/errors.h"
#include "tests/support/tiny_model.h"

namespace plaudit {
namespace {

// An empty prompt, an empty answer, one answer and three.
std::vector<TokenizedAnswers> examples() {
  const auto end = ByteTokenizer::end;
  return {{{10, 11, 12}, {{20, 21, end}, {end}, {22, 23, 24, 25, end}}},
          {{}, {{30, 31, end}, {32, end}}},
          {{13}, {{40, 41, end}}}};
}

std::vector<const TokenizedAnswers*> pointers(const std::vector<TokenizedAnswers>& all) {
  std::vector<const TokenizedAnswers*> out;
  for (const auto& example : all) out.push_back(&example);
  return out;
}

// The definition: each prompt with each answer alone, token by token.
double plain_logp(const Transformer& model, const std::vector<int64_t>& prompt,
                  const std::vector<int64_t>& answer) {
  auto ids = prompt;
  ids.insert(ids.end(), answer.begin(), answer.end());
  PackedBuilder packer;
  packer.add(ids);
  const auto logps = at::log_softmax(model.logits(model.hidden(packer.build())).to(at::kDouble), -1);
  double sum = 0;
  for (size_t i = std::max<size_t>(prompt.size(), 1); i < ids.size(); ++i)
    sum += logps[static_cast<int64_t>(i) - 1][ids[i]].item<double>();
  return sum;
}

TEST(AnswerBatch, LogpsEqualThoseOfSeparateRows) {
  const at::NoGradGuard no_grad;
  const auto model = tiny_model();
  const auto all = examples();
  const auto batch = pack_for_logps(pointers(all));
  EXPECT_EQ(batch.lengths, (std::vector<int64_t>{3, 1, 5, 2, 1, 3}));
  const auto logps = answer_logps(*model.transformer, batch);
  int64_t answer = 0;
  for (const auto& example : all) {
    for (const auto& ids : example.answers) {
      EXPECT_NEAR(logps[answer].item<double>(), plain_logp(*model.transformer, example.prompt, ids), 2e-5);
      ++answer;
    }
  }
  EXPECT_EQ(answer, batch.answers());
}

TEST(AnswerBatch, PooledStatesEqualThoseOfSeparateRows) {
  const at::NoGradGuard no_grad;
  const auto model = tiny_model();
  const auto all = examples();
  const auto batch = pack_for_pooling(pointers(all));
  const auto last = pooled_hidden(*model.transformer, batch, "last");
  const auto mean = pooled_hidden(*model.transformer, batch, "mean");
  int64_t answer = 0;
  for (const auto& example : all) {
    for (const auto& answer_ids : example.answers) {
      auto ids = example.prompt;
      ids.insert(ids.end(), answer_ids.begin(), answer_ids.end());
      PackedBuilder packer;
      packer.add(ids);
      const auto hidden = model.transformer->hidden(packer.build());
      EXPECT_LT((last[answer] - hidden[-1]).abs().max().item<double>(), 1e-5);
      EXPECT_LT((mean[answer] - hidden.mean(0)).abs().max().item<double>(), 1e-5);
      ++answer;
    }
  }
}

TEST(AnswerBatch, UnknownPoolingIsRefused) {
  const auto model = tiny_model();
  const auto all = examples();
  EXPECT_THROW(pooled_hidden(*model.transformer, pack_for_pooling(pointers(all)), "first"), UserError);
}

}  // namespace
}  // namespace plaudit
