#include "plaudit/model/token_logps.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"
#include "plaudit/model/fused_rows.h"
#include "plaudit/model/row_products.h"

namespace plaudit {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows whose f32 softmax is worked on at one time by plain operators: small enough to stay in the cache.
constexpr int64_t kLogpRows = 32;

// Some rows and columns of the logits in the compute dtype, and what is done to them.
struct Tile {
  const TokenLogpsOptions& options;
  at::ScalarType wide;
  Tensor logits;   // [r, t]
  Tensor targets;  // [r], from the first of these columns on

  // Our kernels read the logits once or twice; plain operators, eight times, are for the rest.
  bool fused() const { return !options.softcap && wide == at::kFloat && has_fused_rows(logits); }

  template <class Fn>
  void blocks(Fn fn) const {
    for (int64_t begin = 0; begin < logits.size(0); begin += kLogpRows)
      fn(begin, std::min(kLogpRows, logits.size(0) - begin));
  }

  // z of some rows, and the capped logit before the temperature where there is a cap.
  std::pair<Tensor, Tensor> scaled(int64_t begin, int64_t count) const {
    auto z = logits.narrow(0, begin, count).to(wide);
    Tensor tanh;
    if (options.softcap) {
      tanh = (z / *options.softcap).tanh_();
      z = tanh * *options.softcap;
    }
    return {options.temperature == 1 ? z : z / options.temperature, tanh};
  }

  // Where these columns hold the target, and a place that they do have.
  Tensor inside() const { return targets.ge(0).logical_and_(targets.lt(logits.size(1))); }
  Tensor places() const { return targets.clamp(0, logits.size(1) - 1); }

  LogpRows statistics() const {
    if (fused()) return fused_logps(logits, targets, options.temperature);
    const auto empty = [&] { return at::empty({logits.size(0)}, logits.options().dtype(wide)); };
    LogpRows out{empty(), empty(), empty()};
    const auto at_places = places().unsqueeze(1);
    blocks([&](int64_t begin, int64_t count) {
      const auto z = scaled(begin, count).first;
      const auto lse = at::logsumexp(z, {-1}, true);
      out.lse.narrow(0, begin, count).copy_(lse.squeeze(1));
      out.chosen.narrow(0, begin, count).copy_(z.gather(1, at_places.narrow(0, begin, count)).squeeze(1));
      // H = -sum p log p; the product is zero where p underflows.
      const auto log_p = z - lse;
      out.entropy.narrow(0, begin, count).copy_((log_p.exp() * log_p).sum(-1).neg_());
    });
    out.chosen.masked_fill_(inside().logical_not_(), 0);
    return out;
  }

  // Overwrites the logits with d(loss)/d(logits); `entropy` and `lse` are those of the whole rows.
  void differentiate(const Tensor& entropy, const Tensor& lse, const LogpGradients& grads) const {
    if (fused()) return fused_logps_backward(logits, targets, options.temperature, entropy, lse, grads);
    const auto at_places = places(), of_target = grads.logps * inside();
    blocks([&](int64_t begin, int64_t count) {
      const auto rows = [&](const Tensor& t) { return t.narrow(0, begin, count).unsqueeze(1); };
      const auto [z, tanh] = scaled(begin, count);
      const auto log_p = z - rows(lse);
      const auto p = log_p.exp();
      auto dz = p * -rows(grads.logps);
      if (grads.entropy.defined()) dz -= rows(grads.entropy) * p * (log_p + rows(entropy));
      if (grads.lse.defined()) dz += p * rows(grads.lse);
      dz.scatter_add_(1, rows(at_places), rows(of_target));
      if (options.temperature != 1) dz /= options.temperature;
      if (options.softcap) dz *= 1 - tanh.square();
      logits.narrow(0, begin, count).copy_(dz);
    });
  }
};

// The product of states and embeddings, a tile at a time: options.chunk rows by options.tile columns. A tile
// stays in the cache from the product that makes it to those that use it, and all of them together would not
// fit into memory.
class LogitTiles {
 public:
  LogitTiles(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
             const TokenLogpsOptions& options, at::ScalarType compute)
      : hidden_(hidden.to(compute)),
        weight_(weight),
        targets_(targets),
        options_(options),
        compute_(compute),
        wide_(compute == at::kDouble ? at::kDouble : at::kFloat) {}

  int64_t rows() const { return hidden_.size(0); }
  int64_t chunks() const { return (rows() + options_.chunk - 1) / options_.chunk; }
  int64_t tiles() const { return (weight_.size(0) + options_.tile - 1) / options_.tile; }
  at::ScalarType wide() const { return wide_; }

  // The part of something [rows, ...], or [vocabulary, ...], that a chunk, or a tile, is about.
  Tensor of_chunk(const Tensor& t, int64_t chunk) const { return part(t, chunk, options_.chunk); }
  Tensor of_tile(const Tensor& t, int64_t tile) const { return part(t, tile, options_.tile); }
  Tensor hidden(int64_t chunk) const { return of_chunk(hidden_, chunk); }
  // In the compute dtype: a copy where weights are kept in another one, so it is asked for once per tile.
  Tensor weight(int64_t tile) const { return of_tile(weight_, tile).to(compute_); }

  // Logits that are there already.
  Tile at(int64_t chunk, int64_t tile, const Tensor& logits) const {
    return {options_, wide_, logits, of_chunk(targets_, chunk) - tile * options_.tile};
  }
  // Logits computed into `room`, which is made larger where it is too small; `w` are the tile's weights.
  Tile compute(int64_t chunk, int64_t tile, const Tensor& w, Tensor& room) const {
    const auto h = hidden(chunk);
    const int64_t size = h.size(0) * w.size(0);
    if (!room.defined() || room.numel() < size) room = at::empty({size}, h.options());
    auto logits = room.narrow(0, 0, size).view({h.size(0), w.size(0)});
    product_into(logits, h, w.t());
    return at(chunk, tile, logits);
  }

 private:
  static Tensor part(const Tensor& t, int64_t i, int64_t size) {
    return t.defined() ? t.narrow(0, i * size, std::min(size, t.size(0) - i * size)) : t;
  }

  Tensor hidden_, weight_, targets_;
  TokenLogpsOptions options_;
  at::ScalarType compute_, wide_;
};

// What the tiles of some rows say together.
class RowLaw {
 public:
  void add(LogpRows rows) {
    chosen_ = chosen_.defined() ? chosen_.add_(rows.chosen) : rows.chosen;
    lse_.push_back(std::move(rows.lse));
    entropy_.push_back(std::move(rows.entropy));
  }

  // With w the share of a tile, H = sum w (H of the tile - log w).
  void write(const Tensor& logps, const Tensor& entropy, const Tensor& lse) const {
    const auto parts = at::stack(lse_);
    lse.copy_(at::logsumexp(parts, {0}));
    logps.copy_(chosen_ - lse);
    const auto log_share = parts - lse;
    const auto share = log_share.exp();
    entropy.copy_(at::where(share == 0, 0.0, share * (at::stack(entropy_) - log_share)).sum(0));
  }

 private:
  Tensor chosen_;
  std::vector<Tensor> lse_, entropy_;
};

class TokenLogps : public torch::autograd::Function<TokenLogps> {
 public:
  // `unit_gradient`: W is frozen, so d(logps)/d(hidden) of each row is computed here, once.
  static variable_list forward(AutogradContext* ctx, const Tensor& hidden, const Tensor& weight,
                               const Tensor& targets, const TokenLogpsOptions& options,
                               at::ScalarType compute, bool differentiable, bool unit_gradient) {
    // With a unit gradient each chunk asks for all tiles in turn, so the weights are converted as a whole.
    const LogitTiles grid(hidden, unit_gradient ? weight.to(compute) : weight, targets, options, compute);
    const auto empty = [&] { return at::empty({hidden.size(0)}, hidden.options().dtype(grid.wide())); };
    const Tensor logps = empty(), entropy = empty(), lse = empty();
    const auto write = [&](const RowLaw& law, int64_t c) {
      law.write(grid.of_chunk(logps, c), grid.of_chunk(entropy, c), grid.of_chunk(lse, c));
    };
    Tensor unit, room;
    std::vector<Tensor> kept(static_cast<size_t>(grid.tiles()));  // logits that are needed once more
    if (unit_gradient) {
      unit = at::zeros({hidden.size(0), hidden.size(1)}, lse.options());
      for (int64_t c = 0; c < grid.chunks(); ++c) {
        RowLaw law;
        std::vector<Tile> tiles;
        for (int64_t t = 0; t < grid.tiles(); ++t) {
          tiles.push_back(grid.compute(c, t, grid.weight(t), kept[static_cast<size_t>(t)]));
          law.add(tiles.back().statistics());
        }
        write(law, c);
        const auto chunk_lse = grid.of_chunk(lse, c), one = at::ones_like(chunk_lse);
        for (size_t t = 0; t < tiles.size(); ++t) {
          tiles[t].differentiate(grid.of_chunk(entropy, c), chunk_lse, {one, {}, {}});
          add_product(grid.of_chunk(unit, c), tiles[t].logits, grid.weight(static_cast<int64_t>(t)));
        }
      }
      kept.clear();
    } else {
      std::vector<RowLaw> laws(static_cast<size_t>(grid.chunks()));
      for (int64_t t = 0; t < grid.tiles(); ++t) {
        const auto w = grid.weight(t);
        for (int64_t c = 0; c < grid.chunks(); ++c) {
          const bool keep = differentiable && c + 1 == grid.chunks();  // backward begins with these
          const auto tile = grid.compute(c, t, w, keep ? kept[static_cast<size_t>(t)] : room);
          laws[static_cast<size_t>(c)].add(tile.statistics());
        }
      }
      for (int64_t c = 0; c < grid.chunks(); ++c) write(laws[static_cast<size_t>(c)], c);
      if (!differentiable || grid.chunks() == 0) kept.clear();
    }
    ctx->save_for_backward({hidden, weight, targets, lse, entropy, unit});
    ctx->saved_data["kept"] = std::move(kept);
    ctx->saved_data["temperature"] = options.temperature;
    ctx->saved_data["softcap"] = options.softcap;
    ctx->saved_data["chunk"] = options.chunk;
    ctx->saved_data["tile"] = options.tile;
    ctx->saved_data["compute"] = static_cast<int64_t>(compute);
    ctx->set_materialize_grads(false);
    return {logps, entropy, lse};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &hidden = saved[0], &weight = saved[1], &targets = saved[2], &lse = saved[3],
               &entropy = saved[4], &unit = saved[5];
    const TokenLogpsOptions options{ctx->saved_data["temperature"].toDouble(),
                                    ctx->saved_data["softcap"].toOptional<double>(),
                                    ctx->saved_data["chunk"].toInt(), ctx->saved_data["tile"].toInt()};
    const auto compute = static_cast<at::ScalarType>(ctx->saved_data["compute"].toInt());
    variable_list out(7);
    if (!grads[0].defined() && !grads[1].defined() && !grads[2].defined()) return out;
    const LogpGradients of{grads[0].defined() ? grads[0] : at::zeros_like(lse), grads[1], grads[2]};
    if (unit.defined() && !of.entropy.defined() && !of.lse.defined()) {
      out[0] = (unit * of.logps.unsqueeze(1)).to(hidden.scalar_type());
      return out;
    }
    std::vector<Tensor> kept;  // none at a second pass over one graph
    if (const auto found = ctx->saved_data.find("kept"); found != ctx->saved_data.end()) {
      kept = found->second.toTensorVector();
      ctx->saved_data.erase(found);
    }
    const LogitTiles grid(hidden, weight, targets, options, compute);
    const bool need_hidden = ctx->needs_input_grad(0), need_weight = ctx->needs_input_grad(1);
    // Partial sums over tiles are added up in f32, also where products are bf16.
    const auto d_hidden = need_hidden ? at::zeros_like(hidden, lse.options()) : Tensor();
    if (need_weight) out[1] = grid.chunks() > 0 ? at::empty_like(weight) : at::zeros_like(weight);
    Tensor room;
    for (int64_t t = 0; t < grid.tiles(); ++t) {
      const auto w = grid.weight(t);
      for (int64_t c = 0; c < grid.chunks(); ++c) {
        const auto of_chunk = [&](const Tensor& all) { return grid.of_chunk(all, c); };
        const bool have = !kept.empty() && c + 1 == grid.chunks();
        auto& mine = have ? kept[static_cast<size_t>(t)] : room;
        const auto h = grid.hidden(c);
        const auto tile =
            have ? grid.at(c, t, mine.view({h.size(0), w.size(0)})) : grid.compute(c, t, w, mine);
        tile.differentiate(of_chunk(entropy), of_chunk(lse),
                           {of_chunk(of.logps), of_chunk(of.entropy), of_chunk(of.lse)});
        if (need_hidden) add_product(of_chunk(d_hidden), tile.logits, w);
        if (need_weight && c == 0) grid.of_tile(out[1], t).copy_(product(tile.logits.t(), h));
        if (need_weight && c > 0) add_product(grid.of_tile(out[1], t), tile.logits.t(), h);
        if (have) mine.reset();
      }
    }
    if (need_hidden) out[0] = d_hidden.to(hidden.scalar_type());
    return out;
  }
};

std::tuple<Tensor, Tensor> token_logps_op(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                                          const Tensor& mask, double temperature,
                                          std::optional<double> softcap, int64_t chunk) {
  const Check check("decode.token_logps");
  check.not_empty("hidden", hidden);
  check.not_empty("weight", weight);
  check_sizes(check, {{"hidden", hidden, "BTD"},
                      {"weight", weight, "VD"},
                      {"targets", targets, "BT"},
                      {"mask", mask, "BT"}});
  const auto keep = mask.ne(0);
  check.finite_where("hidden", hidden, keep.unsqueeze(-1).expand_as(hidden));
  check.finite("weight", weight);
  check.that(temperature > 0, "temperature", "> 0", temperature);
  check.that(!softcap || *softcap > 0, "softcap", "> 0", softcap.value_or(0));
  check.that(chunk >= 1, "chunk", ">= 1", chunk);
  if (traced(hidden)) {  // which rows are valid is not known: all are computed, and the mask chooses
    const auto full = as_real(hidden);
    const auto [logps, entropy] = token_logps_reference(
        at::where(keep.unsqueeze(-1), full, 0.0), as_real(weight).to(full.scalar_type()),
        at::where(keep, targets.to(at::kLong), 0), {temperature, softcap, chunk});
    return {at::where(keep, logps, 0.0), at::where(keep, entropy, 0.0)};
  }
  const auto rows = keep.flatten().nonzero().squeeze(1);
  const auto h = as_real(hidden).flatten(0, 1).index_select(0, rows);
  const auto w = as_real(weight).to(h.scalar_type());
  const auto named = targets.flatten().index_select(0, rows);
  check.index_range("targets", named, 0, weight.size(0));
  const auto chosen = named.to(at::kLong);
  const auto [logps, entropy] = token_logps(h, w, chosen, {temperature, softcap, chunk}, h.scalar_type());
  const auto spread = [&](const Tensor& values) {
    return at::zeros({mask.numel()}, values.options()).index_copy(0, rows, values).view(mask.sizes());
  };
  return {spread(logps), spread(entropy)};
}

}  // namespace

TokenScores token_scores(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                         const TokenLogpsOptions& options, at::ScalarType compute) {
  const bool grad = at::GradMode::is_enabled();
  const bool of_weight = grad && weight.requires_grad(), of_hidden = grad && hidden.requires_grad();
  const auto out = TokenLogps::apply(hidden, weight, targets, options, compute, of_hidden || of_weight,
                                     of_hidden && !of_weight);
  return {out[0], out[1], out[2]};
}

std::pair<Tensor, Tensor> token_logps(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                                      const TokenLogpsOptions& options, at::ScalarType compute) {
  auto scores = token_scores(hidden, weight, targets, options, compute);
  return {std::move(scores.logps), std::move(scores.entropy)};
}

std::pair<Tensor, Tensor> token_logps_reference(const Tensor& hidden, const Tensor& weight,
                                                const Tensor& targets, const TokenLogpsOptions& options) {
  auto z = at::matmul(hidden, weight.t());
  if (options.softcap) z = at::tanh(z / *options.softcap) * *options.softcap;
  const auto log_p = at::log_softmax(z / options.temperature, -1);
  return {log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1), -(log_p.exp() * log_p).sum(-1)};
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "token_logps(Tensor hidden, Tensor weight, Tensor targets, Tensor mask, *, float temperature=1.0, "
      "float? "
      "softcap=None, int chunk=1024) -> (Tensor logps, Tensor entropy)",
      &token_logps_op,
      "Log-probabilities of target tokens and entropies from hidden states, a chunk of rows at a time; "
      "within "
      "torch.compile all rows at once.",
      {"90"});
}

}  // namespace plaudit
