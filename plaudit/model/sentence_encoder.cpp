#include "plaudit/model/sentence_encoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "plaudit/core/checks.h"
#include "plaudit/model/pooling.h"

namespace plaudit {
namespace {

constexpr int64_t kTokensPerPass = 8192;  // bounds the memory of a pass

void check_ids(const std::vector<std::vector<int64_t>>& ids, const SentenceEncoderConfig& config) {
  const Check check("sentence_encoder");
  if (ids.empty()) check.refuse(ErrorKind::empty, "texts", "must not be empty");
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto name = fmt::format("texts[{}]", i);
    if (ids[i].empty()) check.refuse(ErrorKind::empty, name, "has no tokens");
    if (static_cast<int64_t>(ids[i].size()) > config.context)
      check.refuse(ErrorKind::value, name,
                   fmt::format("has {} tokens, expected at most {}", ids[i].size(), config.context));
    for (const int64_t id : ids[i]) {
      if (id < 0 || id >= config.vocab)
        check.refuse(ErrorKind::value, name,
                     fmt::format("has the id {}, expected ids in [0, {})", id, config.vocab));
    }
  }
}

// The indices of the texts by length.
std::vector<size_t> by_length(const std::vector<std::vector<int64_t>>& ids) {
  std::vector<size_t> order(ids.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return ids[a].size() < ids[b].size(); });
  return order;
}

}  // namespace

at::Tensor SentenceEncoder::linear(const at::Tensor& x, const std::string& name) const {
  return at::linear(x, weight(name + ".weight"), weight(name + ".bias"));
}

at::Tensor SentenceEncoder::layer_norm(const at::Tensor& x, const std::string& name) const {
  return at::layer_norm(x, {config_.hidden}, weight(name + ".weight"), weight(name + ".bias"),
                        config_.norm_eps);
}

at::Tensor SentenceEncoder::layer(const at::Tensor& x, int64_t index) const {
  const auto prefix = fmt::format("encoder.layer.{}.", index);
  const auto heads = [&](const char* name) {  // [B, T, hidden] -> [B, heads, T, hidden / heads]
    return linear(x, prefix + "attention.self." + name)
        .unflatten(2, {config_.heads, config_.hidden / config_.heads})
        .transpose(1, 2);
  };
  const auto seen = at::scaled_dot_product_attention(heads("query"), heads("key"), heads("value"));
  const auto attended = linear(seen.transpose(1, 2).flatten(2), prefix + "attention.output.dense");
  const auto y = layer_norm(x + attended, prefix + "attention.output.LayerNorm");
  const auto inner = activate(linear(y, prefix + "intermediate.dense"), config_.activation);
  return layer_norm(y + linear(inner, prefix + "output.dense"), prefix + "output.LayerNorm");
}

at::Tensor SentenceEncoder::hidden(const at::Tensor& ids) const {
  auto x = at::embedding(weight("embeddings.word_embeddings.weight"), ids);
  x = x + weight("embeddings.position_embeddings.weight").slice(0, 0, ids.size(1));
  x = x + weight("embeddings.token_type_embeddings.weight").select(0, 0);
  x = layer_norm(x, "embeddings.LayerNorm");
  for (int64_t i = 0; i < config_.layers; ++i) x = layer(x, i);
  return x;
}

at::Tensor SentenceEncoder::embed_ids(const std::vector<std::vector<int64_t>>& ids) const {
  check_ids(ids, config_);
  const at::NoGradGuard no_gradients;
  const auto& words = weight("embeddings.word_embeddings.weight");
  const auto count = static_cast<int64_t>(ids.size());
  const auto out = at::empty({count, config_.hidden}, words.options());
  const auto order = by_length(ids);
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const size_t length = ids[order[begin]].size();
    const size_t most = std::max<size_t>(1, kTokensPerPass / length);
    std::vector<int64_t> flat, rows;
    for (; end < order.size() && end - begin < most && ids[order[end]].size() == length; ++end) {
      flat.insert(flat.end(), ids[order[end]].begin(), ids[order[end]].end());
      rows.push_back(static_cast<int64_t>(order[end]));
    }
    const auto batch = at::tensor(flat, at::kLong).view({-1, static_cast<int64_t>(length)});
    const auto last = hidden(batch.to(words.device()));
    const auto vectors = mean_pool(last, at::ones_like(batch).to(words.device()), config_.normalize);
    out.index_copy_(0, at::tensor(rows, at::kLong).to(words.device()), vectors);
  }
  return out;
}

at::Tensor SentenceEncoder::embed(const std::vector<std::string>& texts) const {
  std::vector<std::vector<int64_t>> ids;
  for (const auto& text : texts) ids.push_back(tokenizer_->encode(text, {.add_special = true}));
  return embed_ids(ids);
}

}  // namespace plaudit
