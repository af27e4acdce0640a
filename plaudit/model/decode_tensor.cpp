// The forward pass of decoding by plain tensor operators: for accelerators, and to compare the packed one
// with. Every sequence has a slot in the cache; a fork copies its parent's. Shapes: N tokens of all feeds
// together, H query heads, K key heads, S slots, C positions of room, D of a head.
#include <ATen/ATen.h>

#include <algorithm>
#include <map>

#include "plaudit/core/errors.h"
#include "plaudit/model/activation.h"
#include "plaudit/model/decode_model.h"
#include "plaudit/model/norm.h"
#include "plaudit/model/rope.h"
#include "plaudit/model/weights.h"

namespace plaudit::decode {
namespace {

struct Linear {
  at::Tensor weight, bias;
  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
};

struct TensorLayer {
  Norm norm1, norm2, q_norm, k_norm, post_attention, post_mlp;  // undefined weight: not there
  std::vector<Linear> qkv, inner;                               // one or three; one, or gate and up
  Linear o, down;
  int64_t window = 0;
};

struct TensorWeights {
  TransformerConfig config;
  Activation activation = Activation::silu;
  at::ScalarType compute = at::kFloat;
  at::Tensor embedding, head, positions;
  Norm final_norm;
  std::vector<TensorLayer> layers;
  at::Device device() const { return embedding.device(); }
};

class TensorReader {
 public:
  TensorReader(const TransformerConfig& config, const WeightSource& source, at::ScalarType compute)
      : c_(config), source_(source), compute_(compute) {}

  TensorWeights model() const {
    const std::string top = c_.is_gpt2() ? "transformer." : "model.";
    TensorWeights m;
    m.config = c_;
    m.activation = activation_from(c_.activation, "activation");
    m.compute = compute_;
    const auto embedding = top + (c_.is_gpt2() ? "wte" : "embed_tokens");
    m.embedding = weight(embedding);
    m.config.embedding_scale = embedding_scale(c_, source_(embedding + ".weight").scalar_type());
    m.head = c_.tied ? m.embedding : weight("lm_head");
    if (c_.is_gpt2()) m.positions = weight("transformer.wpe");
    m.final_norm = norm(top + (c_.is_gpt2() ? "ln_f" : "norm"));
    for (int64_t i = 0; i < c_.layers; ++i) {
      m.layers.push_back(layer(layer_prefix(c_, i)));
      m.layers.back().window = c_.window(i);
    }
    return m;
  }

 private:
  at::Tensor copy(const at::Tensor& t, at::ScalarType dtype) const {
    return t.defined() ? t.detach().to(t.options().dtype(dtype), false, /*copy=*/true) : t;
  }
  at::Tensor weight(const std::string& name) const { return copy(source_(name + ".weight"), compute_); }
  Linear linear(const std::string& name) const {
    return {weight(name), copy(source_(name + ".bias"), compute_)};
  }
  Norm norm(const std::string& name) const {
    return {copy(source_(name + ".weight"), at::kFloat), copy(source_(name + ".bias"), at::kFloat),
            c_.norm_eps, c_.norm_unit_offset};
  }

  TensorLayer layer(const std::string& p) const {
    TensorLayer l;
    if (c_.is_gpt2()) {
      l.norm1 = norm(p + "ln_1");
      l.norm2 = norm(p + "ln_2");
      l.qkv = {linear(p + "attn.c_attn")};
      l.o = linear(p + "attn.c_proj");
      l.inner = {linear(p + "mlp.c_fc")};
      l.down = linear(p + "mlp.c_proj");
      return l;
    }
    l.norm1 = norm(p + "input_layernorm");
    l.qkv = {linear(p + "self_attn.q_proj"), linear(p + "self_attn.k_proj"), linear(p + "self_attn.v_proj")};
    l.o = linear(p + "self_attn.o_proj");
    l.inner = {linear(p + "mlp.gate_proj"), linear(p + "mlp.up_proj")};
    l.down = linear(p + "mlp.down_proj");
    l.norm2 = norm(p + (c_.is_gemma() ? "pre_feedforward_layernorm" : "post_attention_layernorm"));
    if (!c_.is_gemma()) return l;
    l.q_norm = norm(p + "self_attn.q_norm");
    l.k_norm = norm(p + "self_attn.k_norm");
    l.post_attention = norm(p + "post_attention_layernorm");
    l.post_mlp = norm(p + "post_feedforward_layernorm");
    return l;
  }

  const TransformerConfig& c_;
  const WeightSource& source_;
  at::ScalarType compute_;
};

class TensorSession : public Session {
 public:
  explicit TensorSession(std::shared_ptr<const TensorWeights> model)
      : model_(std::move(model)),
        c_(model_->config),
        keys_(model_->layers.size()),
        values_(model_->layers.size()) {}

  int64_t open() override {
    const auto free = std::find(used_.begin(), used_.end(), false);
    const auto slot = free - used_.begin();
    if (free == used_.end()) {
      used_.push_back(true);
      lengths_.push_back(0);
    }
    used_[slot] = true;
    lengths_[slot] = 0;
    reserve(1);
    return slot;
  }

  int64_t fork(int64_t parent) override {
    const auto child = open(), n = lengths_[parent];
    lengths_[child] = n;
    for (auto* cache : {&keys_, &values_})
      for (auto& t : *cache) t[child].narrow(1, 0, n).copy_(t[parent].narrow(1, 0, n));
    return child;
  }

  void close(int64_t sequence) override { used_[sequence] = false; }

  int64_t forward(const std::vector<Feed>& feeds) override {
    place(feeds);
    auto x = embed();
    for (size_t i = 0; i < model_->layers.size(); ++i) {
      const auto& layer = model_->layers[i];
      x = x + branch(attention(i, normalised(x, layer.norm1)), layer.post_attention);
      x = x + branch(mlp(layer, normalised(x, layer.norm2)), layer.post_mlp);
    }
    kept_ = normalised(x.index_select(0, wanted_), model_->final_norm);
    return kept_.size(0);
  }

  void logits(int64_t first, int64_t count, float* out) override {
    auto z = at::linear(kept_.narrow(0, first, count), model_->head).to(at::kFloat);
    if (c_.final_softcap) z = at::tanh(z / *c_.final_softcap) * *c_.final_softcap;
    at::from_blob(out, {count, c_.vocab}).copy_(z);
  }

  void hidden(int64_t first, int64_t count, float* out) override {
    at::from_blob(out, {count, c_.hidden}).copy_(kept_.narrow(0, first, count));
  }

 private:
  // Where a feed's tokens are among the rows, and what they may see.
  struct Span {
    int64_t first, count, slot, seen;  // `seen`: positions in the cache, the feed's own included
  };

  at::TensorOptions integers() const { return at::TensorOptions(model_->device()).dtype(at::kLong); }

  // Room for every slot and for `positions` in each.
  void reserve(int64_t positions) {
    const auto slots = static_cast<int64_t>(used_.size());
    const bool fits = keys_[0].defined() && keys_[0].size(0) >= slots && keys_[0].size(2) >= positions;
    if (fits) return;
    const auto old_slots = keys_[0].defined() ? keys_[0].size(0) : 0,
               old_room = keys_[0].defined() ? keys_[0].size(2) : 0;
    const auto new_slots = slots > old_slots ? std::max(slots, old_slots * 2) : old_slots;
    const auto new_room =
        positions > old_room ? std::max((positions + 127) / 128 * 128, old_room * 3 / 2) : old_room;
    for (auto* cache : {&keys_, &values_}) {
      for (auto& t : *cache) {
        auto larger = at::zeros({new_slots, c_.kv_heads, new_room, c_.head_dim},
                                at::TensorOptions(model_->device()).dtype(model_->compute));
        if (t.defined()) larger.narrow(0, 0, old_slots).narrow(2, 0, old_room).copy_(t);
        t = larger;
      }
    }
  }

  void place(const std::vector<Feed>& feeds) {
    spans_.clear();
    std::vector<int64_t> ids, positions, slots, wanted;
    int64_t room = 1;
    for (const auto& feed : feeds) {
      const auto n = static_cast<int64_t>(feed.ids.size()), start = lengths_[feed.sequence];
      spans_.push_back({static_cast<int64_t>(ids.size()), n, feed.sequence, start + n});
      ids.insert(ids.end(), feed.ids.begin(), feed.ids.end());
      slots.insert(slots.end(), feed.ids.size(), feed.sequence);
      for (int64_t i = 0; i < n; ++i) positions.push_back(start + i);
      if (feed.wants_logits) wanted.push_back(static_cast<int64_t>(ids.size()) - 1);
      room = std::max(room, start + n);
      lengths_[feed.sequence] += n;
    }
    reserve(room);
    const auto on_device = [&](const std::vector<int64_t>& list) { return at::tensor(list).to(integers()); };
    ids_ = on_device(ids), positions_ = on_device(positions), slots_ = on_device(slots),
    wanted_ = on_device(wanted);
    if (c_.is_gpt2()) return;
    rope_ = rope_table(rope_frequencies(c_, false), positions_);
    local_rope_ = rope_table(rope_frequencies(c_, true), positions_);
  }

  at::Tensor embed() const {
    auto x = at::embedding(model_->embedding, ids_).to(at::kFloat) * c_.embedding_scale;
    return model_->positions.defined() ? x + at::embedding(model_->positions, positions_) : x;
  }

  at::Tensor normalised(const at::Tensor& x, const Norm& norm) const {
    return apply_norm(x, norm, model_->compute);
  }

  // What a branch adds to the residual stream, f32.
  at::Tensor branch(const at::Tensor& y, const Norm& norm) const {
    return norm.weight.defined() ? apply_norm(y, norm, at::kFloat) : y.to(at::kFloat);
  }

  at::Tensor mlp(const TensorLayer& layer, const at::Tensor& h) const {
    auto inner = activate(layer.inner[0](h), model_->activation);
    if (layer.inner.size() == 2) inner = inner * layer.inner[1](h);
    return layer.down(inner);
  }

  at::Tensor attention(size_t index, const at::Tensor& h) {
    const auto& layer = model_->layers[index];
    std::vector<at::Tensor> parts;
    for (const auto& projection : layer.qkv) parts.push_back(projection(h));
    if (parts.size() == 1) parts = parts[0].chunk(3, -1);
    for (auto& part : parts) part = part.unflatten(-1, {-1, c_.head_dim});
    auto &q = parts[0], &k = parts[1];
    if (layer.q_norm.weight.defined()) {
      q = normalised(q, layer.q_norm);
      k = normalised(k, layer.k_norm);
    }
    if (!c_.is_gpt2()) {
      const auto& table = layer.window > 0 ? local_rope_ : rope_;
      q = rotate(q, table);
      k = rotate(k, table);
    }
    // [S, K, C, D] at (slot, :, position)
    keys_[index].transpose(1, 2).index_put_({slots_, positions_}, k);
    values_[index].transpose(1, 2).index_put_({slots_, positions_}, parts[2]);
    return layer.o(attend_all(index, layer, q));
  }

  // Feeds of one token attend together, longer ones each for itself; q [N, H, D] -> [N, H*D].
  at::Tensor attend_all(size_t index, const TensorLayer& layer, const at::Tensor& q) const {
    auto out = at::empty({q.size(0), q.size(1) * q.size(2)}, q.options());
    std::vector<int64_t> rows, slots;
    int64_t room = 1;
    for (const auto& span : spans_) {
      if (span.count == 1) {
        rows.push_back(span.first);
        slots.push_back(span.slot);
        room = std::max(room, span.seen);
        continue;
      }
      const auto slot = at::full({1}, span.slot, integers());
      const auto own = q.narrow(0, span.first, span.count).transpose(0, 1).unsqueeze(0);
      const auto seen = attend(index, layer, own, slot, span.seen,
                               positions_.narrow(0, span.first, span.count).unsqueeze(0));
      out.narrow(0, span.first, span.count).copy_(seen[0].transpose(0, 1).flatten(1));
    }
    if (rows.empty()) return out;
    const auto at_rows = at::tensor(rows).to(integers());
    const auto single =
        attend(index, layer, q.index_select(0, at_rows).unsqueeze(2), at::tensor(slots).to(integers()), room,
               positions_.index_select(0, at_rows).unsqueeze(1));
    return out.index_copy(0, at_rows, single.flatten(1));
  }

  // q [B, H, n, D] at positions [B, n] against the first `room` places of its slots [B] -> [B, H, n, D].
  at::Tensor attend(size_t index, const TensorLayer& layer, const at::Tensor& q, const at::Tensor& slots,
                    int64_t room, const at::Tensor& positions) const {
    const auto place = at::arange(room, integers());
    const auto query = positions.unsqueeze(-1);
    auto mask = place <= query;
    if (layer.window > 0) mask = mask.logical_and(place > query - layer.window);
    mask = mask.unsqueeze(1);
    const auto cached = [&](const at::Tensor& cache) {
      return cache.narrow(2, 0, room).index_select(0, slots).repeat_interleave(c_.heads / c_.kv_heads, 1);
    };
    const auto k = cached(keys_[index]), v = cached(values_[index]);
    if (!c_.attention_softcap)
      return at::scaled_dot_product_attention(q, k, v, mask, 0, false, c_.score_scale());
    const auto cap = *c_.attention_softcap;
    const auto scores =
        at::tanh(at::matmul(q, k.transpose(-1, -2)).to(at::kFloat) * (c_.score_scale() / cap)) * cap;
    const auto unseen = mask.logical_not();
    return at::matmul(at::softmax(scores.masked_fill(unseen, -INFINITY), -1).to(v.scalar_type()), v);
  }

  std::shared_ptr<const TensorWeights> model_;
  const TransformerConfig& c_;
  std::vector<at::Tensor> keys_, values_;  // per layer [S, K, C, D]
  std::vector<bool> used_;                 // per slot
  std::vector<int64_t> lengths_;
  std::vector<Span> spans_;
  at::Tensor ids_, positions_, slots_, wanted_, kept_;
  RopeTable rope_, local_rope_;
};

class TensorModel : public Model {
 public:
  explicit TensorModel(TensorWeights weights)
      : weights_(std::make_shared<const TensorWeights>(std::move(weights))) {}
  std::unique_ptr<Session> session() const override { return std::make_unique<TensorSession>(weights_); }

 private:
  std::shared_ptr<const TensorWeights> weights_;
};

}  // namespace

std::shared_ptr<const Model> tensor_model(const TransformerConfig& config, const WeightSource& weights,
                                          at::ScalarType compute) {
  return std::make_shared<TensorModel>(TensorReader(config, weights, compute).model());
}

}  // namespace plaudit::decode
