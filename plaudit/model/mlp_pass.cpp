#include "plaudit/model/mlp_pass.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

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

// One layer on [B,I], or on [N,B,I] by an ensemble.
Tensor affine(const Tensor& x, const MlpLayer& layer) {
  return x.dim() == 2 ? at::addmm(layer.bias, x, layer.weight.t()) : at::baddbmm(layer.bias, x, layer.weight);
}

// What each layer puts out, after ReLU but for the last.
std::vector<Tensor> activations(const Tensor& x, const std::vector<MlpLayer>& layers) {
  std::vector<Tensor> out;
  for (size_t i = 0; i < layers.size(); ++i) {
    out.push_back(affine(i == 0 ? x : out.back(), layers[i]));
    if (i + 1 < layers.size()) out.back().relu_();
  }
  return out;
}

// d(sum of y g)/dx of an ensemble with one output, where many g are zero, as under a least or a single
// critic: rows without a gradient are left out. `outs` are the hidden activations.
Tensor input_gradient_by_rows(const Tensor& g, const std::vector<Tensor>& outs,
                              const std::vector<MlpLayer>& layers, const Tensor& x) {
  auto dx = at::zeros(x.sizes(), x.options());
  for (int64_t m = 0; m < g.size(0); ++m) {
    const auto rows = g[m].squeeze(1).nonzero().squeeze(1);
    if (rows.numel() == 0) continue;
    const auto pick = [&](const Tensor& t) {
      return rows.numel() == t.size(0) ? t : t.index_select(0, rows);
    };
    auto part = pick(g[m]);
    for (size_t i = layers.size(); i-- > 0;) {
      if (i + 1 < layers.size()) part = at::threshold_backward(part, pick(outs[i][m]), 0);
      part = at::mm(part, layers[i].weight[m].t());
    }
    dx[m].index_copy_(0, rows, part);
  }
  return dx;
}

class MlpPass : public torch::autograd::Function<MlpPass> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& flat,
                        const std::vector<int64_t>& sizes, int64_t members) {
    auto outs = activations(x, mlp_layers(flat, sizes, members));
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
    const auto d_flat = of_weights ? at::empty_like(flat) : Tensor();
    const auto d_layers = of_weights ? mlp_layers(d_flat, sizes, members) : std::vector<MlpLayer>{};
    auto g = grads[0].contiguous();
    if (!of_weights && members > 0 && sizes.back() == 1 && g.is_cpu())
      return {input_gradient_by_rows(g, outs, layers, x), Tensor(), Tensor(), Tensor()};
    for (size_t i = layers.size(); i-- > 0;) {
      if (i + 1 < layers.size()) at::threshold_backward_out(g, g, outs[i], 0);  // g is ours here
      const auto& in = i == 0 ? x : outs[i - 1];
      const auto& weight = layers[i].weight;
      if (of_weights) {
        Tensor dw = d_layers[i].weight, db = d_layers[i].bias;
        if (members == 0) {
          at::mm_out(dw, g.t(), in);
          at::sum_out(db, g, 0);
        } else {
          at::bmm_out(dw, in.transpose(1, 2), g);
          at::sum_out(db, g, 1, /*keepdim=*/true);
        }
      }
      if (i > 0 || of_x) g = members == 0 ? at::mm(g, weight) : at::bmm(g, weight.transpose(1, 2));
    }
    return {of_x ? g : Tensor(), d_flat, Tensor(), Tensor()};
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
                       : activations(rows, mlp_layers(flat.detach(), sizes, members)).back();
  if (members > 0 || x.dim() == 2) return y;
  auto shape = x.sizes().vec();
  shape.back() = sizes.back();
  return y.view(shape);
}

}  // namespace plaudit
