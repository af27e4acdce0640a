#include "plaudit/model/mlp_pass.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "plaudit/core/parallel.h"
#include "plaudit/model/multiply.h"

namespace plaudit {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Calls `use` with the place and shape of every weight and bias.
template <class F>
void for_layers(const std::vector<int64_t>& sizes, int64_t members, F use) {
  int64_t at = 0;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    const int64_t in = sizes[i], out = sizes[i + 1], nets = std::max<int64_t>(members, 1);
    use(at, at + nets * in * out, in, out);
    at += nets * (in + 1) * out;
  }
}

constexpr int64_t kNetRows = 128;            // fewer are not worth a thread of their own,
constexpr int64_t kNetProducts = 2'000'000;  // nor are fewer multiplications

// What one thread computes: some rows of one net, or all of everything.
struct Piece {
  std::optional<int64_t> member;
  int64_t begin = 0, rows = 0;  // none: all

  bool whole() const { return rows == 0; }
  // The part of something by rows, [B,K] or [N,B,K]; and of weights or biases, by member.
  Tensor of_rows(const Tensor& t) const { return whole() ? t : of_net(t).narrow(0, begin, rows); }
  Tensor of_net(const Tensor& t) const { return member ? t[*member] : t; }
};

// Members apart, and rows of a net where there are more threads than members: products of a few hundred rows
// are too small to be shared by threads one after another.
std::vector<Piece> pieces_of(const Tensor& x, const std::vector<int64_t>& sizes, int64_t members) {
  const int64_t nets = std::max<int64_t>(members, 1), rows = x.size(-2), threads = at::get_num_threads();
  int64_t products = 0;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) products += rows * sizes[i] * sizes[i + 1];
  const int64_t blocks = std::clamp<int64_t>(std::min(threads / nets, rows / kNetRows), 1, threads);
  if (!x.is_cpu() || nets * blocks == 1 || products < kNetProducts * blocks) return {{}};
  std::vector<Piece> out;
  for (int64_t m = 0; m < nets; ++m)
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t begin = b * rows / blocks;
      out.push_back({members > 0 ? std::optional(m) : std::nullopt, begin, (b + 1) * rows / blocks - begin});
    }
  return out;
}

// f(i) for i < count, on all threads.
template <class F>
void share(size_t count, const F& f) {
  parallel_for(0, static_cast<int64_t>(count), 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad;  // each thread has its own mode
    for (int64_t i = begin; i < end; ++i) f(static_cast<size_t>(i));
  });
}

// Those of [B,O], or [N,B,O], that a layer of these sizes puts out.
std::vector<Tensor> room_for(const Tensor& x, const std::vector<int64_t>& sizes, size_t from) {
  std::vector<Tensor> out;
  for (size_t i = from; i < sizes.size(); ++i) {
    auto shape = x.sizes().vec();
    shape.back() = sizes[i];
    out.push_back(at::empty(shape, x.options()));
  }
  return out;
}

// What each layer puts out, after ReLU but for the last.
std::vector<Tensor> activations(const Tensor& x, const std::vector<MlpLayer>& layers,
                                const std::vector<int64_t>& sizes, int64_t members) {
  auto outs = room_for(x, sizes, 1);
  const auto pieces = pieces_of(x, sizes, members);
  share(pieces.size(), [&](size_t p) {
    const auto& piece = pieces[p];
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto in = piece.of_rows(i == 0 ? x : outs[i - 1]), bias = piece.of_net(layers[i].bias);
      auto out = piece.of_rows(outs[i]), weight = piece.of_net(layers[i].weight);
      if (members == 0) weight = weight.t();
      if (in.dim() == 2)
        multiply_into(out, in, weight, bias);
      else
        at::baddbmm_out(out, bias, in, weight);
      if (i + 1 < layers.size()) out.relu_();
    }
  });
  return outs;
}

// d(sum of y g)/dx of an ensemble with one output, where many g are zero, as under a least or a single
// critic: rows without a gradient are left out. `outs` are the hidden activations.
Tensor input_gradient_by_rows(const Tensor& g, const std::vector<Tensor>& outs,
                              const std::vector<MlpLayer>& layers, const Tensor& x) {
  auto dx = at::zeros(x.sizes(), x.options());
  share(static_cast<size_t>(g.size(0)), [&](size_t member) {
    const auto m = static_cast<int64_t>(member);
    const auto rows = g[m].squeeze(1).nonzero().squeeze(1);
    if (rows.numel() == 0) return;
    const auto pick = [&](const Tensor& t) {
      return rows.numel() == t.size(0) ? t : t.index_select(0, rows);
    };
    auto part = pick(g[m]);
    for (size_t i = layers.size(); i-- > 0;) {
      if (i + 1 < layers.size()) part = at::threshold_backward(part, pick(outs[i][m]), 0);
      auto to = at::empty({part.size(0), layers[i].weight.size(1)}, part.options());
      multiply_into(to, part, layers[i].weight[m].t());
      part = to;
    }
    dx[m].index_copy_(0, rows, part);
  });
  return dx;
}

class MlpPass : public torch::autograd::Function<MlpPass> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& flat,
                        const std::vector<int64_t>& sizes, int64_t members) {
    auto outs = activations(x, mlp_layers(flat, sizes, members), sizes, members);
    const auto y = outs.back();
    outs.back() = flat;
    outs.push_back(x);
    ctx->save_for_backward(outs);
    ctx->saved_data["sizes"] = sizes;
    ctx->saved_data["members"] = members;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    auto outs = ctx->get_saved_variables();
    const auto x = outs.back();
    outs.pop_back();
    const auto flat = outs.back();
    outs.pop_back();
    const auto sizes = ctx->saved_data["sizes"].toIntVector();
    const auto members = ctx->saved_data["members"].toInt();
    const bool of_weights = ctx->needs_input_grad(1), of_x = ctx->needs_input_grad(0);
    const auto layers = mlp_layers(flat, sizes, members);
    const auto g = grads[0].contiguous();
    if (!of_weights && members > 0 && sizes.back() == 1 && g.is_cpu())
      return {input_gradient_by_rows(g, outs, layers, x), Tensor(), Tensor(), Tensor()};

    // By layer, of its inputs and of what it puts out.
    auto of_inputs = room_for(x, {sizes.begin(), sizes.end() - 1}, of_x ? 0 : 1);
    if (!of_x) of_inputs.insert(of_inputs.begin(), Tensor());
    auto of_outputs = of_inputs;
    of_outputs.erase(of_outputs.begin());
    of_outputs.push_back(g);
    const auto pieces = pieces_of(x, sizes, members);
    share(pieces.size(), [&](size_t p) {
      const auto& piece = pieces[p];
      for (size_t i = layers.size(); i-- > 0;) {
        auto grad = piece.of_rows(of_outputs[i]);
        if (i + 1 < layers.size()) at::threshold_backward_out(grad, grad, piece.of_rows(outs[i]), 0);
        if (i == 0 && !of_x) break;
        auto to = piece.of_rows(of_inputs[i]), weight = piece.of_net(layers[i].weight);
        if (members > 0) weight = weight.transpose(-1, -2);
        if (to.dim() == 2)
          multiply_into(to, grad, weight);
        else
          at::bmm_out(to, grad, weight);
      }
    });
    const auto d_flat =
        of_weights ? weight_gradient(x, outs, of_outputs, flat, sizes, members, pieces) : Tensor();
    return {of_inputs.front(), d_flat, Tensor(), Tensor()};
  }

 private:
  static Tensor weight_gradient(const Tensor& x, const std::vector<Tensor>& outs,
                                const std::vector<Tensor>& of_outputs, const Tensor& flat,
                                const std::vector<int64_t>& sizes, int64_t members,
                                const std::vector<Piece>& pieces) {
    const auto d_flat = at::empty_like(flat);
    const auto layers = mlp_layers(d_flat, sizes, members);
    share(layers.size() * pieces.size(), [&](size_t job) {
      const size_t i = job / pieces.size();
      const auto& piece = pieces[job % pieces.size()];
      const auto& in = i == 0 ? x : outs[i - 1];
      auto dw = layers[i].weight, db = layers[i].bias;
      if (piece.whole() && members > 0) {
        at::bmm_out(dw, in.transpose(1, 2), of_outputs[i]);
        at::sum_out(db, of_outputs[i], 1, /*keepdim=*/true);
        return;
      }
      // The rows of the piece tell which share of the outputs is its own.
      const int64_t size = sizes[i + 1], first = piece.whole() ? 0 : piece.begin * size / x.size(-2),
                    count = (piece.whole() ? size : (piece.begin + piece.rows) * size / x.size(-2)) - first;
      const auto grad = piece.of_net(of_outputs[i]).narrow(1, first, count);
      if (members == 0) {
        dw = dw.narrow(0, first, count);
        db = db.narrow(0, first, count);
        multiply_into(dw, grad.t(), in);
        at::sum_out(db, grad, 0);
      } else {
        dw = piece.of_net(dw).narrow(1, first, count);
        db = piece.of_net(db).narrow(1, first, count);
        multiply_into(dw, piece.of_net(in).t(), grad);
        at::sum_out(db, grad, 0, /*keepdim=*/true);
      }
    });
    return d_flat;
  }
};

}  // namespace

int64_t mlp_count(const std::vector<int64_t>& sizes, int64_t members) {
  int64_t count = 0;
  for_layers(sizes, members, [&](int64_t, int64_t bias, int64_t, int64_t out) {
    count = bias + std::max<int64_t>(members, 1) * out;
  });
  return count;
}

std::vector<MlpLayer> mlp_layers(const Tensor& flat, const std::vector<int64_t>& sizes, int64_t members) {
  std::vector<MlpLayer> layers;
  for_layers(sizes, members, [&](int64_t weight, int64_t bias, int64_t in, int64_t out) {
    const auto view = [&](int64_t at, at::IntArrayRef shape, at::IntArrayRef strides) {
      return flat.as_strided(shape, strides, flat.storage_offset() + at);
    };
    if (members == 0)
      layers.push_back({view(weight, {out, in}, {in, 1}), view(bias, {out}, {1})});
    else
      layers.push_back({view(weight, {members, in, out}, {in * out, out, 1}),
                        view(bias, {members, 1, out}, {out, out, 1})});
  });
  return layers;
}

Tensor mlp_forward(const Tensor& x, const Tensor& flat, const std::vector<int64_t>& sizes, int64_t members) {
  // Outside of the node, so that the sum of the members' gradients is autograd's.
  const auto rows = members > 0 && x.dim() == 2    ? x.unsqueeze(0).expand({members, -1, -1})
                    : members == 0 && x.dim() != 2 ? x.reshape({-1, x.size(-1)})
                                                   : x;
  const bool graph = at::GradMode::is_enabled() && (x.requires_grad() || flat.requires_grad());
  const auto y = graph ? MlpPass::apply(rows, flat, sizes, members)
                       : activations(rows, mlp_layers(flat.detach(), sizes, members), sizes, members).back();
  if (members > 0 || x.dim() == 2) return y;
  auto shape = x.sizes().vec();
  shape.back() = sizes.back();
  return y.view(shape);
}

}  // namespace plaudit
