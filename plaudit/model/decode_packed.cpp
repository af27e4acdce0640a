// The forward pass of decoding on the processor. Shapes: N tokens of all feeds together, one row each.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>

#include "plaudit/core/parallel.h"
#include "plaudit/model/decode_model.h"
#include "plaudit/model/decode_weights.h"
#include "plaudit/model/kv_cache.h"
#include "plaudit/model/rope.h"

namespace plaudit::decode {
namespace {

struct Row {
  int64_t sequence, position;
};

// Consecutive rows of one sequence that attend together.
struct RowGroup {
  int64_t first, count;
};

// cos and sin of one row at a time, [head_dim/2] each.
struct Angles {
  at::Tensor cos, sin;
};

// Turns the pairs (j, j + d/2) of one head.
void rotate_head(float* x, int64_t half, const float* cos, const float* sin) {
  for (int64_t j = 0; j < half; ++j) {
    const float a = x[j], b = x[j + half];
    x[j] = a * cos[j] - b * sin[j];
    x[j + half] = b * cos[j] + a * sin[j];
  }
}

template <class T>
class PackedSession : public Session {
 public:
  PackedSession(std::shared_ptr<const ModelWeights<T>> model, const KernelSet& set)
      : model_(std::move(model)), c_(model_->config), set_(set), cache_(cache_shape(*model_)) {
    heads_per_kv_ = c_.heads / c_.kv_heads;
    head_chunk_ = std::min(heads_per_kv_, kAttendRows);
  }

  int64_t open() override { return cache_.open(); }
  int64_t fork(int64_t parent) override { return cache_.fork(parent); }
  void close(int64_t sequence) override { cache_.close(sequence); }

  int64_t forward(const std::vector<Feed>& feeds) override {
    place_rows(feeds);
    embed(feeds);
    for (size_t i = 0; i < model_->layers.size(); ++i) {
      attention(static_cast<int64_t>(i));
      mlp(model_->layers[i]);
    }
    return keep(feeds);
  }

  void logits(int64_t first, int64_t count, float* out) override {
    const auto& head = model_->head;
    head.apply(set_, kept_.data() + first * head.depth(), head.depth(), count,
               {.store = Store::set, .f32 = out, .stride = head.out()});
    if (!c_.final_softcap) return;
    auto all = at::from_blob(out, {count, head.out()});
    all.div_(*c_.final_softcap).tanh_().mul_(*c_.final_softcap);
  }

  void hidden(int64_t first, int64_t count, float* out) override {
    const auto stride = model_->head.depth();
    for (int64_t r = 0; r < count; ++r)
      for (int64_t j = 0; j < c_.hidden; ++j)
        out[r * c_.hidden + j] = widen(kept_[static_cast<size_t>((first + r) * stride + j)]);
  }

 private:
  // What one thread needs to attend.
  struct Scratch {
    std::vector<KeyBlock<T>> blocks;
    std::vector<T> q, weights;
    std::vector<float> scores, out;
  };

  static CacheShape cache_shape(const ModelWeights<T>& model) {
    CacheShape shape{.kv_heads = model.config.kv_heads, .head_dim = model.config.head_dim};
    for (const auto& layer : model.layers) shape.windows.push_back(layer.window);
    return shape;
  }

  int64_t rows() const { return static_cast<int64_t>(rows_.size()); }

  void place_rows(const std::vector<Feed>& feeds) {
    rows_.clear();
    groups_.clear();
    scratch_.resize(std::max(scratch_.size(), static_cast<size_t>(at::get_num_threads())));
    const auto together = kAttendRows / head_chunk_;
    for (const auto& feed : feeds) {
      cache_.trim(feed.sequence);
      const auto n = static_cast<int64_t>(feed.ids.size());
      const auto start = cache_.length(feed.sequence), first = rows();
      cache_.extend(feed.sequence, n);
      for (int64_t i = 0; i < n; ++i) rows_.push_back({feed.sequence, start + i});
      for (int64_t i = 0; i < n; i += together) groups_.push_back({first + i, std::min(together, n - i)});
    }
    if (model_->positions.defined()) return;
    at::Tensor positions = at::empty({rows()}, at::kLong);
    for (int64_t r = 0; r < rows(); ++r) positions.mutable_data_ptr<int64_t>()[r] = rows_[r].position;
    const auto angles = [&](const at::Tensor& frequencies) {
      const auto table = rope_table(frequencies, positions);
      return Angles{table.cos.contiguous(), table.sin.contiguous()};
    };
    angles_ = angles(model_->frequencies);
    local_angles_ = c_.is_gemma() ? angles(model_->local_frequencies) : angles_;
  }

  void embed(const std::vector<Feed>& feeds) {
    const auto& table = c_.tied ? model_->head : model_->embedding;
    const auto scale = static_cast<float>(c_.embedding_scale);
    x_.resize(static_cast<size_t>(rows() * c_.hidden));
    branch_.resize(x_.size());
    int64_t r = 0;
    for (const auto& feed : feeds) {
      for (const auto id : feed.ids) {
        float* x = x_.data() + r * c_.hidden;
        table.row(id, x);
        if (scale != 1)
          for (int64_t j = 0; j < c_.hidden; ++j) x[j] *= scale;
        if (model_->positions.defined()) {
          const float* learned =
              model_->positions.template const_data_ptr<float>() + rows_[r].position * c_.hidden;
          for (int64_t j = 0; j < c_.hidden; ++j) x[j] += learned[j];
        }
        ++r;
      }
    }
  }

  NormTask norm_task(const NormWeights& norm, const float* x, int64_t n) const {
    return {.x = x,
            .n = n,
            .weight = norm.weight.template const_data_ptr<float>(),
            .bias = norm.bias.defined() ? norm.bias.template const_data_ptr<float>() : nullptr,
            .center = c_.is_gpt2(),
            .eps = static_cast<float>(c_.norm_eps)};
  }

  // norm of every row of x_ -> normed_ [N, stride]
  void normalise(const NormWeights& norm, int64_t stride) {
    normed_.resize(static_cast<size_t>(rows() * stride));
    parallel_for(0, rows(), 64, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        set_.template of<T>().norm(norm_task(norm, x_.data() + r * c_.hidden, c_.hidden),
                                   normed_.data() + r * stride);
    });
  }

  // x_ += matrix(in), or norm(matrix(in)) for families that normalise a branch before adding it.
  void add_branch(const PackedMatrix<T>& matrix, const std::vector<T>& in, const NormWeights& norm) {
    const Output<T> out{.store = norm.defined() ? Store::set : Store::add,
                        .f32 = norm.defined() ? branch_.data() : x_.data(),
                        .stride = c_.hidden};
    matrix.apply(set_, in.data(), matrix.depth(), rows(), out);
    if (!norm.defined()) return;
    parallel_for(0, rows(), 64, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        float* branch = branch_.data() + r * c_.hidden;
        set_.template of<float>().norm(norm_task(norm, branch, c_.hidden), branch);
        float* x = x_.data() + r * c_.hidden;
        for (int64_t j = 0; j < c_.hidden; ++j) x[j] += branch[j];
      }
    });
  }

  void attention(int64_t index) {
    const auto& layer = model_->layers[static_cast<size_t>(index)];
    normalise(layer.norm1, layer.qkv.depth());
    qkv_.resize(static_cast<size_t>(rows() * layer.qkv.out()));
    layer.qkv.apply(set_, normed_.data(), layer.qkv.depth(), rows(),
                    {.store = Store::set, .f32 = qkv_.data(), .stride = layer.qkv.out()});
    // All keys are written before any row attends: rows of one prompt see each other.
    parallel_for(0, rows() * c_.kv_heads, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) prepare(layer, index, i / c_.kv_heads, i % c_.kv_heads);
    });
    attended_.resize(static_cast<size_t>(rows() * layer.o.depth()));
    const auto groups = static_cast<int64_t>(groups_.size());
    const auto chunks = (heads_per_kv_ + head_chunk_ - 1) / head_chunk_;
    // Neighbours share a head, and answers to one prompt stand together: its keys stay in the near cache.
    parallel_for(0, c_.kv_heads * chunks * groups, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const auto head = i / groups / chunks, chunk = i / groups % chunks;
        attend(layer, index, groups_[static_cast<size_t>(i % groups)], head, chunk * head_chunk_);
      }
    });
    add_branch(layer.o, attended_, layer.post_attention);
  }

  // Norm and rotation of the queries and the key of one row and key head; the key and value go to the cache.
  void prepare(const LayerWeights<T>& layer, int64_t index, int64_t row, int64_t head) {
    const auto d = c_.head_dim;
    float* q = qkv_.data() + row * layer.qkv.out() + head * heads_per_kv_ * d;
    float* k = qkv_.data() + row * layer.qkv.out() + (c_.heads + head) * d;
    const auto& angles = layer.local ? local_angles_ : angles_;
    const auto turn = [&](float* x, const NormWeights& norm) {
      if (norm.defined()) set_.template of<float>().norm(norm_task(norm, x, d), x);
      if (angles.cos.defined())
        rotate_head(x, d / 2, angles.cos.template const_data_ptr<float>() + row * d / 2,
                    angles.sin.template const_data_ptr<float>() + row * d / 2);
    };
    for (int64_t g = 0; g < heads_per_kv_; ++g) {
      turn(q + g * d, layer.q_norm);
      for (int64_t j = 0; j < d; ++j) q[g * d + j] *= model_->score_scale;
    }
    turn(k, layer.k_norm);
    cache_.write(rows_[row].sequence, index, head, rows_[row].position, k, k + c_.kv_heads * d);
  }

  void attend(const LayerWeights<T>& layer, int64_t index, const RowGroup& group, int64_t head,
              int64_t first_head) {
    auto& s = scratch_[static_cast<size_t>(at::get_thread_num())];
    cache_.blocks(rows_[group.first].sequence, index, head, s.blocks);
    const auto d = c_.head_dim, depth = cache_.depth(), width = round_up(d, kPanel);
    const auto heads = std::min(head_chunk_, heads_per_kv_ - first_head), n = group.count * heads;
    const auto places = static_cast<size_t>(kAttendRows * kBlockKeys) * s.blocks.size();
    s.q.resize(static_cast<size_t>(kAttendRows * depth));
    s.out.resize(static_cast<size_t>(kAttendRows * width));
    if (s.scores.size() < places) s.scores.resize(places), s.weights.resize(places);
    const auto first = head * heads_per_kv_ + first_head;
    int64_t positions[kAttendRows];
    for (int64_t r = 0; r < n; ++r) {
      const auto row = group.first + r / heads;
      positions[r] = rows_[row].position;
      set_.template of<T>().narrow(qkv_.data() + row * layer.qkv.out() + (first + r % heads) * d, d,
                                   s.q.data() + r * depth);
    }
    set_.template of<T>().attend({.q = s.q.data(),
                                  .rows = n,
                                  .head_dim = d,
                                  .depth = depth,
                                  .positions = positions,
                                  .blocks = s.blocks.data(),
                                  .n_blocks = static_cast<int64_t>(s.blocks.size()),
                                  .window = layer.window,
                                  .softcap = static_cast<float>(c_.attention_softcap.value_or(0)),
                                  .scores = s.scores.data(),
                                  .weights = s.weights.data(),
                                  .out = s.out.data()});
    for (int64_t r = 0; r < n; ++r)
      set_.template of<T>().narrow(
          s.out.data() + r * width, d,
          attended_.data() + (group.first + r / heads) * layer.o.depth() + (first + r % heads) * d);
  }

  void mlp(const LayerWeights<T>& layer) {
    normalise(layer.norm2, layer.up.depth());
    inner_.resize(static_cast<size_t>(rows() * layer.down.depth()));
    layer.up.apply(set_, normed_.data(), layer.up.depth(), rows(),
                   {.store = model_->gated ? Store::gate : Store::act,
                    .narrow = inner_.data(),
                    .stride = layer.down.depth(),
                    .act = model_->act});
    add_branch(layer.down, inner_, layer.post_mlp);
  }

  // The final norm of the last rows of feeds that want logits.
  int64_t keep(const std::vector<Feed>& feeds) {
    const auto stride = model_->head.depth();
    kept_.clear();
    int64_t row = -1, count = 0;
    for (const auto& feed : feeds) {
      row += static_cast<int64_t>(feed.ids.size());
      if (!feed.wants_logits) continue;
      kept_.resize(static_cast<size_t>((count + 1) * stride));
      set_.template of<T>().norm(norm_task(model_->final_norm, x_.data() + row * c_.hidden, c_.hidden),
                                 kept_.data() + count++ * stride);
    }
    return count;
  }

  std::shared_ptr<const ModelWeights<T>> model_;
  const TransformerConfig& c_;
  const KernelSet& set_;
  KvCache<T> cache_;
  int64_t heads_per_kv_, head_chunk_;  // query heads of a key head, and how many of them attend together
  std::vector<Row> rows_;
  std::vector<RowGroup> groups_;
  Angles angles_, local_angles_;
  std::vector<float> x_, branch_, qkv_;              // [N, hidden], [N, hidden], [N, q k v]
  std::vector<T> normed_, attended_, inner_, kept_;  // inputs of matrices, padded to their depth
  std::vector<Scratch> scratch_;                     // per thread
};

template <class T>
class PackedModel : public Model {
 public:
  PackedModel(ModelWeights<T> weights, const KernelSet& set)
      : weights_(std::make_shared<const ModelWeights<T>>(std::move(weights))), set_(set) {}
  std::unique_ptr<Session> session() const override {
    return std::make_unique<PackedSession<T>>(weights_, set_);
  }

 private:
  std::shared_ptr<const ModelWeights<T>> weights_;
  const KernelSet& set_;
};

}  // namespace

template <class T>
std::shared_ptr<const Model> packed_model(const TransformerConfig& config, const WeightSource& weights,
                                          const KernelSet& set) {
  return std::make_shared<PackedModel<T>>(pack_weights<T>(config, weights), set);
}

template std::shared_ptr<const Model> packed_model<float>(const TransformerConfig&, const WeightSource&,
                                                          const KernelSet&);
template std::shared_ptr<const Model> packed_model<Bf16>(const TransformerConfig&, const WeightSource&,
                                                         const KernelSet&);

}  // namespace plaudit::decode
